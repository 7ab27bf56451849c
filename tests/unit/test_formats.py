"""Test that containers are recognised by their bytes, and that the error for other files names the type."""

import struct

import pytest

from glas.audio.formats import DEMUXERS, AudioFormat, sniff
from glas.domain.errors import EmptyAudioError, UnsupportedFormatError

# An MPEG-1 layer 3 frame of 128 kbit/s at 44.1 kHz has 417 bytes; an ADTS frame says its own length.
MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
ADTS_FRAME = b"\xff\xf1\x50\x80\x04\x1f\xfc" + bytes(25)


def id3(body: bytes) -> bytes:
    """Put an ID3v2 tag around `body`."""
    return b"ID3\x04\0\0" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"OggS\0\x02", AudioFormat.OGG),
        (b"fLaC\0\0\0\x22", AudioFormat.FLAC),
        (b"RIFF\x24\0\0\0WAVEfmt ", AudioFormat.WAV),
        (b"RF64\xff\xff\xff\xffWAVEds64", AudioFormat.WAV),
        (b"\0\0\0\x1cftypM4A \0\0\2\0", AudioFormat.M4A),
        (b"\0\0\0\x1cftypisom\0\0\2\0", AudioFormat.MP4),
        (b"\0\0\0\x14ftypqt  \0\0\2\0", AudioFormat.MP4),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm", AudioFormat.WEBM),
        (b"\x1a\x45\xdf\xa3\xa3B\x82\x88matroska", AudioFormat.MATROSKA),
        (b"#!AMR\n\x0c", AudioFormat.AMR),
        (b"#!AMR-WB\n\x0c", AudioFormat.AMR),
        (b"FORM\0\0\0\x2eAIFFCOMM", AudioFormat.AIFF),
        (b"caff\0\1\0\0desc", AudioFormat.CAF),
        (b".snd\0\0\0\x18", AudioFormat.AU),
        (b"riff\x2e\x91\xcf\x11", AudioFormat.W64),
        (b"RIFF\x10\0\0\0AVI LIST", AudioFormat.AVI),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", AudioFormat.ASF),
        (b"FLV\x01\x05", AudioFormat.FLV),
        (b"\0\0\x01\xba\x44", AudioFormat.MPEG_PS),
        ((b"G" + bytes(187)) * 2, AudioFormat.MPEG_TS),
        ((bytes(4) + b"G" + bytes(187)) * 2, AudioFormat.MPEG_TS),
        (b"\0\0\0\x08wide\0\0\1\0mdat", AudioFormat.MOV),
        (b"\0\0\1\0moov", AudioFormat.MOV),
    ],
)
def test_magic_bytes_name_the_container(head: bytes, expected: AudioFormat) -> None:
    assert sniff(head + bytes(100)) is expected


@pytest.mark.parametrize(
    "data",
    [
        MP3_FRAME * 3,
        MP3_FRAME,  # a file that ends with its first frame
        b"\xff\x00rest of a frame" + MP3_FRAME * 4,  # cut out of a broadcast
        id3(bytes(100)) + MP3_FRAME * 3,
        id3(bytes(200_000)) + bytes(1_000) + MP3_FRAME * 3,  # a cover, then padding
        id3(b"a") + id3(b"b") + MP3_FRAME * 3,
    ],
)
def test_mp3_is_known_by_its_frames(data: bytes) -> None:
    assert sniff(data) is AudioFormat.MP3


def test_a_sync_word_somewhere_is_not_mp3() -> None:
    with pytest.raises(UnsupportedFormatError):
        sniff(bytes(100) + b"\xff\xfb\x90\x00" + bytes(2_000))


def test_adts_is_not_taken_for_mp3() -> None:
    assert sniff(ADTS_FRAME * 4) is AudioFormat.AAC
    assert sniff(id3(b"timestamp") + ADTS_FRAME * 4) is AudioFormat.AAC


def test_flac_behind_an_id3_tag_is_flac() -> None:
    assert sniff(id3(bytes(10)) + b"fLaC" + bytes(40)) is AudioFormat.FLAC
    tag = id3(bytes(10))
    with_footer = tag[:5] + b"\x10" + tag[6:] + b"3DI" + tag[3:10]
    assert sniff(with_footer + b"fLaC" + bytes(40)) is AudioFormat.FLAC


def test_no_bytes_are_an_error_of_their_own() -> None:
    with pytest.raises(EmptyAudioError, match="0 bytes"):
        sniff(b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"#EXTM3U\nfile:///etc/passwd\n", "HLS playlist"),
        (b"\xef\xbb\xbf  #EXTM3U\n", "HLS playlist"),
        (b"ffconcat version 1.0\n", "ffconcat"),
        (b"<?xml version='1.0'?><MPD></MPD>", "DASH manifest"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", "SDP"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"\n\n<HTML>", "HTML page"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "JPEG"),
        (b"RIFF\x10\0\0\0ACONLIST", "ACON"),
        (id3(b"only a tag"), "ID3 tag and no sound"),
        (b"\x01\x02\x03\x04\x05", "01 02 03 04 05"),
    ],
)
def test_the_refusal_says_what_came_and_what_is_accepted(data: bytes, words: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=words) as caught:
        sniff(data)
    assert "Ogg, MP3, M4A" in caught.value.message


def test_a_tag_that_claims_more_than_there_is_does_not_confuse() -> None:
    lying = b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + MP3_FRAME * 3
    with pytest.raises(UnsupportedFormatError, match="ID3"):
        sniff(lying)


def test_every_container_says_how_others_call_it() -> None:
    assert AudioFormat.OGG.extension == "ogg"
    assert "mov" in DEMUXERS.split(",")
    for audio_format in AudioFormat:
        assert audio_format.extension.isalnum()
        assert audio_format.media_type.split("/")[0] in {"audio", "video"}


def test_any_buffer_will_do() -> None:
    data = b"RIFF" + struct.pack("<I", 36) + b"WAVE" + bytes(40)
    assert sniff(memoryview(data)) is sniff(bytearray(data)) is AudioFormat.WAV
