"""Malicious or damaged files, and some that only look damaged. Each function returns the bytes of one file."""

import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import av
import numpy as np

from tests.parts.recordings import add_sound, encoded, tone, white_noise, write_sound


def ogg() -> bytes:
    """A good voice message of two seconds."""
    return encoded(tone(440, 2), "ogg-opus")


def flipped(data: bytes, count: int, seed: int = 1) -> bytes:
    """Return `data` with `count` changed bytes, but with unchanged first bytes."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable test, no secret
    out = bytearray(data)
    for _ in range(count):
        out[chance.randrange(4, len(out))] ^= chance.randrange(1, 256)
    return bytes(out)


def random_bytes(count: int) -> bytes:
    """Noise that is no file at all."""
    return random.Random(2).randbytes(count)  # noqa: S311 - a repeatable test, no secret


def wav(  # noqa: D417 - fields of the WAV header
    body: bytes, *, rate_hz: int = 16_000, channels: int = 1, bits: int = 16, code: int = 1, declared: int | None = None
) -> bytes:
    """A WAV file with any header one likes.

    Args:
        body: the sample bytes.
        declared: length that the header claims; None tells the truth.
    """
    length = len(body) if declared is None else declared
    align = min(channels * bits // 8, 0xFFFF)
    head = struct.pack("<HHIIHH", code, channels, rate_hz, min(rate_hz * align, 0xFFFFFFFF), align, bits)
    riff = min(36 + length, 0xFFFFFFFF)
    return (
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + head
        + b"data"
        + struct.pack("<I", length)
        + body
    )


def float_wav(value: float) -> bytes:
    """A second of 32-bit float sound with one impossible sample in the middle."""
    sound = tone(440, 1, 16_000)
    sound[8_000] = value
    return wav(sound.tobytes(), bits=32, code=3)


def loud_wav(seconds: float) -> bytes:
    """Sound with the largest number of bytes for each second: 16 channels, 384 kHz, 64 bits."""
    return wav(bytes(int(seconds * 384_000) * 16 * 8), rate_hz=384_000, channels=16, bits=64, code=3)


def _crc_table(polynomial: int, bits: int) -> list[int]:
    top, mask, table = 1 << (bits - 1), (1 << bits) - 1, []
    for byte in range(256):
        crc = byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & top else crc << 1) & mask
        table.append(crc)
    return table


_CRC8, _CRC16, _CRC32 = _crc_table(0x07, 8), _crc_table(0x8005, 16), _crc_table(0x04C11DB7, 32)


def _crc(data: bytes, table: list[int], bits: int) -> int:
    crc, shift, mask = 0, bits - 8, (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[(crc >> shift ^ byte) & 0xFF]
    return crc


def _utf8_number(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")


def silent_flac(duration_s: float, rate_hz: int = 48_000) -> bytes:
    """Silence in frames of the greatest length, each of which says only "65,535 times zero": 16 bytes for 1.4 s."""
    n_frames = int(duration_s * rate_hz / 65_535)
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6) + struct.pack(">Q", rate_hz << 44 | 15 << 36) + bytes(16)
    out = [b"fLaC", struct.pack(">I", 0x80 << 24 | len(info)), info]
    for number in range(n_frames):
        head = b"\xff\xf8\x7a\x08" + _utf8_number(number) + struct.pack(">H", 65_534)
        frame = head + bytes([_crc(head, _CRC8, 8)]) + b"\0\0\0"
        out.append(frame + struct.pack(">H", _crc(frame, _CRC16, 16)))
    return b"".join(out)


def _ogg_page(body: bytes, lacing: bytes, *, flags: int, granule: int, number: int) -> bytes:
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, 7, number, 0) + bytes([len(lacing)]) + lacing
    crc = _crc(head + body, _CRC32, 32)
    return head[:22] + struct.pack("<I", crc) + head[26:] + body


def silent_opus(duration_s: float) -> bytes:
    """Opus packets of two bytes that stand for 120 ms each: 24 hours in two megabytes."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 4) + b"glas" + struct.pack("<I", 0)
    out = [
        _ogg_page(head, bytes([len(head)]), flags=2, granule=0, number=0),
        _ogg_page(tags, bytes([len(tags)]), flags=0, granule=0, number=1),
    ]
    n_packets = int(duration_s / 0.12)
    for number, first in enumerate(range(0, n_packets, 255), start=2):
        count = min(255, n_packets - first)
        is_last = 4 if first + count == n_packets else 0
        # Six frames of 20 ms, each of no bytes at all, which is how Opus says "nothing new".
        out.append(
            _ogg_page(
                b"\x0b\x06" * count, b"\x02" * count, flags=is_last, granule=(first + count) * 5760, number=number
            )
        )
    return b"".join(out)


def mp4_of_many_streams(count: int) -> bytes:
    """An MP4 with `count` streams of sound; the first is a tone of 440 Hz."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        streams = [add_sound(container, "aac", rate_hz=48_000) for _ in range(count)]
        for stream in streams:
            write_sound(container, stream, tone(440 if stream is streams[0] else 3_000, 0.2), rate_hz=48_000)
    return file.getvalue()


def mkv_with_attachment_and_subtitles() -> bytes:
    """A Matroska file with a text attached, subtitles, and sound last."""
    file = BytesIO()
    with av.open(file, "w", format="matroska") as container:
        container.add_attachment("../../etc/cron.d/x", "text/plain", b"#EXTM3U\nfile:///etc/passwd\n")
        subtitles = container.add_stream("ass")
        voice = add_sound(container, "flac", rate_hz=48_000)
        line = av.Packet(b"0,0,Default,,0,0,0,,file:///etc/passwd")
        line.stream, line.pts, line.dts, line.duration, line.time_base = subtitles, 0, 0, 500, Fraction(1, 1_000)
        container.mux(line)
        write_sound(container, voice, tone(440, 1), rate_hz=48_000)
    return file.getvalue()


def ogg_and_zip() -> bytes:
    """A file that is a good Ogg from the front and a good ZIP from the back."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("evil.sh", "rm -rf /")
    return ogg() + archive.getvalue()


def ogg_and_html() -> bytes:
    """A good Ogg with a web page behind it."""
    return ogg() + b"<html><script>alert(1)</script></html>" * 100


def chained_ogg(kind: str = "ogg-flac") -> bytes:
    """Two recordings one after the other in one Ogg; rate and number of channels change in between."""
    return encoded(tone(440, 1, 16_000), kind, 16_000) + encoded(tone(440, 1, 48_000), kind, 48_000, channels=2)


def mp3_with_cover(count: int) -> bytes:
    """An MP3 behind an ID3 tag with a picture of `count` bytes."""
    return _id3([_picture_frame(random_bytes(count), compressed_to=None)]) + encoded(tone(440, 2), "mp3")


def mp3_with_old_title() -> bytes:
    """An MP3 whose title is declared as UTF-8 but is not UTF-8."""
    title = b"\x03" + "Привет".encode("cp1251")
    return _id3([b"TIT2" + _synchsafe(len(title)) + b"\0\0" + title]) + encoded(tone(440, 2), "mp3")


def mp3_with_zip_bombs(count: int, expanded: int) -> bytes:
    """An MP3 whose tag holds `count` compressed pictures that expand to `expanded` bytes each."""
    frame = _picture_frame(zlib.compress(bytes(expanded)), compressed_to=expanded)
    return _id3([frame] * count) + encoded(tone(440, 2), "mp3")


def _picture_frame(data: bytes, *, compressed_to: int | None) -> bytes:
    if compressed_to is None:
        data = b"\0image/png\0\x03\0" + data
        return b"APIC" + _synchsafe(len(data)) + b"\0\0" + data
    # Flags of ID3v2.4: compressed, and the length before compression is given.
    return b"APIC" + _synchsafe(len(data) + 4) + b"\0\x09" + _synchsafe(compressed_to) + data


def _id3(frames: list[bytes]) -> bytes:
    body = b"".join(frames)
    return b"ID3\x04\0\0" + _synchsafe(len(body)) + body


def _synchsafe(number: int) -> bytes:
    """Seven bits to the byte, so that no tag can look like a frame of sound."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def mp4_that_refers_to(path: str) -> bytes:
    """An MP4 that states that its sound is in another file, by an "alias" of old Macintosh systems."""
    data = encoded(tone(440, 1), "m4a")
    at = data.index(b"dref") - 4
    name = path.encode()
    alias = bytearray(150) + struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">H", 0xFFFF)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    new = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    (old_size,) = struct.unpack_from(">I", data, at)
    out = bytearray(data[:at] + new + data[at + old_size :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = data.index(kind) - 4
        struct.pack_into(">I", out, place, struct.unpack_from(">I", data, place)[0] + len(new) - old_size)
    return bytes(out)


def _ebml(element: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return element.to_bytes((element.bit_length() + 7) // 8) + (0x01 << 56 | len(body)).to_bytes(8) + body


def mkv_zip_bomb(count: int, expanded: int = 9_900_000) -> bytes:
    """A Matroska file of `count` packets, each of which zlib expands a thousandfold, to `expanded` bytes of sound."""
    sound = _ebml(0xE1, _ebml(0xB5, struct.pack(">d", 16_000)), _ebml(0x9F, b"\1"), _ebml(0x6264, b"\x10"))
    zipped = _ebml(0x6D80, _ebml(0x6240, _ebml(0x5034, _ebml(0x4254, b"\0"))))
    codec = _ebml(0x86, b"A_PCM/INT/LIT")
    track = _ebml(0xAE, _ebml(0xD7, b"\1"), _ebml(0x73C5, b"\1"), _ebml(0x83, b"\2"), codec, sound, zipped)
    block = _ebml(0xA3, b"\x81\0\0\x80", zlib.compress(bytes(expanded), 9))
    info = _ebml(0x1549A966, _ebml(0x2AD7B1, (1_000_000).to_bytes(3)))
    cluster = _ebml(0x1F43B675, _ebml(0xE7, b"\0"), *[block] * count)
    header = _ebml(0x1A45DFA3, _ebml(0x4282, b"matroska"), _ebml(0x4287, b"\4"), _ebml(0x4285, b"\2"))
    return header + _ebml(0x18538067, info, _ebml(0x1654AE6B, track), cluster)


def ogg_of_many_links(count: int) -> bytes:
    """An Ogg that states that it contains `count` recordings in sequence, none of which has any sound."""
    begin = _ogg_page(b"OpusHead", b"\x08", flags=2, granule=0, number=0)
    end = _ogg_page(b"", b"", flags=4, granule=0, number=1)
    return (begin + end) * count


def playlists(target: str) -> Iterator[tuple[str, bytes]]:
    """Texts that make FFmpeg open `target` if FFmpeg may detect that they are playlists."""
    yield "hls", f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{target}\n#EXT-X-ENDLIST\n".encode()
    yield "ffconcat", f"ffconcat version 1.0\nfile '{target}'\n".encode()
    document = f"<MPD type='static'><Period><AdaptationSet><BaseURL>{target}</BaseURL></AdaptationSet></Period></MPD>"
    yield "dash", b"<?xml version='1.0'?>" + document.encode()
    yield "sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
    yield "pls", f"[playlist]\nFile1={target}\n".encode()
    yield "html", f"<!DOCTYPE html><html><img src='{target}'></html>".encode()
    yield "svg", f"<svg><image href='{target}'/></svg>".encode()
    yield "json", json.dumps({"url": target}).encode()


def noise_aac(minutes: int) -> bytes:
    """White noise, which is valid and takes the most time to decode."""
    return encoded(white_noise(10), "adts") * (6 * minutes)


def music_ogg(duration_s: float) -> bytes:
    """Chords and no voice."""
    chord = sum(tone(hz, duration_s, level=0.1) for hz in (220, 277.2, 329.6))
    return encoded(np.asarray(chord, np.float32), "ogg-opus", channels=2)
