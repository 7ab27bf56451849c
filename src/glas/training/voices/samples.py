"""Sample voice messages: short Ogg/Opus files in held-out voices, of which those the model hears best are kept."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_asr

from glas.domain.metrics import error_rates
from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples, decode_audio, encode_opus, level, resample
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak
from glas.training.voices.manner import Manner, Synthesiser

BIT_RATES_BPS = (16_000, 20_000, 24_000)
MANNERS = ((130, 45), (145, 50), (155, 40))  # words per minute, pitch

# Nothing here is drawn from the grammar; each is a message somebody could send.
CANDIDATES = (
    "Привет, купи, пожалуйста, молоко и хлеб по дороге домой.",
    "Добрый день, встреча переносится на четверг, на пятнадцать тридцать.",
    "Мама, я уже доехал, всё хорошо, позвоню вечером.",
    "Слушай, я опоздаю минут на двадцать, начинайте без меня.",
    "Ключи лежат на столе в кухне, не забудь закрыть окно.",
    "Запиши номер заказа: семьсот сорок два.",
    "С днём рождения! Желаю здоровья и счастья.",
    "Напомни мне завтра утром забрать документы из банка.",
    "Мы сегодня идём в театр, билеты стоят две тысячи рублей.",
    "Погода отличная, светит солнце, поехали на дачу.",
    "Отправь мне адрес, я вызову такси.",
    "Собака хочет гулять, а на улице сильный дождь.",
    "Бабушка испекла пирог с яблоками, приезжай в гости.",
    "Поезд приходит в субботу в девять часов утра.",
    "Телефон почти разрядился, напиши лучше сообщение.",
)


@dataclass(frozen=True)
class Candidate:
    """A spoken message and what the model made of it."""

    text: str
    manner: Manner
    bit_rate_bps: int
    opus: bytes
    heard: str
    duration_s: float

    @property
    def cer(self) -> float:
        """Character errors per character."""
        return error_rates([self.text], [self.heard]).cer


def speak(synthesiser: Synthesiser, text: str, manner: Manner) -> Samples:
    """Clean speech (n,) at 16 kHz with a quarter of a second of silence around it."""
    samples = resample(synthesiser.speak(text, manner), SAMPLE_RATE_HZ / synthesiser.sample_rate_hz)
    samples = np.pad(samples * np.float32(0.1 / level(samples)), SAMPLE_RATE_HZ // 4)
    return samples + np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32) * np.float32(1e-4)


def candidates(model: Path) -> list[Candidate]:
    """Every candidate in three held-out voices, heard by the model in the folder."""
    espeak, recogniser = Espeak(), onnx_asr.load_model("nemo-conformer-ctc", model, quantization="int8")
    spoken = []
    for number, text in enumerate(CANDIDATES):
        for turn, (rate_wpm, pitch) in enumerate(MANNERS):
            manner = Manner(HELD_OUT_VARIANTS[(number + 5 * turn) % len(HELD_OUT_VARIANTS)], rate_wpm, pitch)
            opus = encode_opus(speak(espeak, text, manner), BIT_RATES_BPS[turn])
            decoded = decode_audio(io.BytesIO(opus))
            heard = str(recogniser.recognize(decoded, sample_rate=16_000))
            spoken.append(Candidate(text, manner, BIT_RATES_BPS[turn], opus, heard, len(decoded) / SAMPLE_RATE_HZ))
    return spoken


def write_samples(model: Path, folder: Path, count: int) -> None:
    """Keep the `count` best-heard messages, every sentence and every voice at most once, and their true words."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[Candidate] = []
    for candidate in sorted(candidates(model), key=lambda c: c.cer):
        taken = {c.text for c in chosen} | {c.manner.variant for c in chosen}
        if len(chosen) < count and not {candidate.text, candidate.manner.variant} & taken:
            chosen.append(candidate)
    lines = []
    for number, sample in enumerate(chosen, start=1):
        name = f"message-{number}.ogg"
        (folder / name).write_bytes(sample.opus)
        lines.append(
            {
                "file": name,
                "text": sample.text,
                "voice": f"espeak-ng ru+{sample.manner.variant}",
                "bit_rate_bps": sample.bit_rate_bps,
                "duration_s": round(sample.duration_s, 2),
            }
        )
        print(f"{name} CER {100 * sample.cer:.1f} %: {sample.heard}")
    (folder / "texts.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
    )
