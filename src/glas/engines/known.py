"""The table of models that Glas knows by name, with published measurements."""

from dataclasses import replace

from glas.engines import layouts
from glas.engines.descriptions import KnownModel, PublishedSpeed, PublishedWer
from glas.engines.whispers import WHISPER_SMALL_RU, WHISPERS

EMBEDDED = "embedded"


# Sources of the figures. GigaAM: evaluation.md of salute-developers/GigaAM, June 2026. onnx-asr: docs/comparison.md of
# istupakov/onnx-asr, 2026, measured with the library and the files that are used here. Sizes: file lists of the hub
# (T-one, Vosk), and of programs that download the same files (all other models).
def _gigaam(
    natural: float, libri: float, normalisation: str = "not stated; the model writes no punctuation"
) -> tuple[PublishedWer, ...]:
    source = "GigaAM evaluation.md, 2026-06"
    return (
        PublishedWer(natural, "Natural Speech (internal set of GigaAM)", normalisation, source),
        PublishedWer(libri, "Russian LibriSpeech, test", normalisation, source),
    )


def _onnx_asr(wer: float) -> PublishedWer:
    return PublishedWer(
        wer, "Russian LibriSpeech, test", "lower case, ё→е, no punctuation", "onnx-asr docs/comparison.md, 2026"
    )


def _ryzen(rtfx: float) -> PublishedSpeed:
    return PublishedSpeed(rtfx, "AMD Ryzen 7 9800X3D, processor only, fp32", "onnx-asr docs/comparison.md, 2026")


_E2E_TEXT = "no punctuation, lower case, numerals replaced"

_GIGAAM_V3 = KnownModel(
    name="onnx:gigaam-v3-ctc",
    repository="istupakov/gigaam-v3-onnx",
    layout=layouts.GIGAAM_V3_CTC,
    size_mb=225,
    licence="MIT",
    window_s=25,
    title_ru="GigaAM v3",
    title_en="GigaAM v3",
    summary_ru="GigaAM v3 (Сбер), 220 млн параметров: точная и быстрая, строчные буквы без знаков",
    summary_en="GigaAM v3 (Sber), 220 M parameters: accurate and fast, lower case without punctuation",
    wer=(*_gigaam(0.078, 0.047), _onnx_asr(0.0472)),
    speed=_ryzen(58.5),
)
_NEMO_RU = KnownModel(
    name="onnx:nemo-fastconformer-ru-ctc",
    repository="istupakov/stt_ru_fastconformer_hybrid_large_pc_onnx",
    layout=layouts.NEMO_CTC,
    size_mb=132,
    licence="CC-BY-4.0",
    window_s=25,
    title_ru="FastConformer, русская",
    title_en="FastConformer, Russian",
    summary_ru="FastConformer (NVIDIA), русская: самая быстрая из больших, со знаками препинания",
    summary_en="FastConformer (NVIDIA), Russian: the fastest of the large ones, with punctuation",
    punctuates=True,
    wer=(_onnx_asr(0.1310),),
    speed=_ryzen(96.1),
)
_VOSK = KnownModel(
    name="onnx:vosk-model-ru",
    repository="alphacep/vosk-model-ru",
    layout=layouts.VOSK,
    size_mb=70,
    licence="Apache-2.0",
    window_s=25,
    title_ru="Vosk 0.54",
    title_en="Vosk 0.54",
    summary_ru="Vosk 0.54 (Alpha Cephei), Zipformer: маленькая и быстрая",
    summary_en="Vosk 0.54 (Alpha Cephei), Zipformer: small and fast",
    wer=(_onnx_asr(0.0989),),
    speed=_ryzen(62.3),
)

KNOWN_MODELS = (
    KnownModel(
        name=EMBEDDED,
        repository=None,
        layout=layouts.WHISPER_CONVERTED,
        size_mb=56,
        licence="MIT",
        window_s=30,
        title_ru="Whisper base, русская",
        title_en="Whisper base, Russian",
        summary_ru="Встроенная модель: Whisper base для русской речи, со знаками препинания; работает сразу и без сети",
        summary_en="The embedded model: Whisper base for Russian speech, with punctuation; works at once and offline",
        punctuates=True,
    ),
    _GIGAAM_V3,
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v3-rnnt",
        layout=layouts.GIGAAM_V3_RNNT,
        size_mb=226,
        title_ru="GigaAM v3 RNN-T",
        title_en="GigaAM v3 RNN-T",
        summary_ru="GigaAM v3 (Сбер) с декодером RNN-T: самая точная здесь, строчные буквы без знаков",
        summary_en="GigaAM v3 (Sber) with an RNN-T decoder: the most accurate here, lower case without punctuation",
        wer=(*_gigaam(0.069, 0.044), _onnx_asr(0.0439)),
        speed=_ryzen(42.4),
    ),
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v3-e2e-ctc",
        layout=layouts.GIGAAM_V3_E2E_CTC,
        title_ru="GigaAM v3 со знаками препинания",
        title_en="GigaAM v3 with punctuation",
        summary_ru="GigaAM v3 (Сбер) со знаками препинания, заглавными буквами и цифрами",
        summary_en="GigaAM v3 (Sber) with punctuation, capitals and digits",
        punctuates=True,
        wer=(*_gigaam(0.096, 0.064, _E2E_TEXT), _onnx_asr(0.0780)),
        speed=_ryzen(58.7),
    ),
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v3-e2e-rnnt",
        layout=layouts.GIGAAM_V3_E2E_RNNT,
        size_mb=227,
        title_ru="GigaAM v3 RNN-T со знаками препинания",
        title_en="GigaAM v3 RNN-T with punctuation",
        summary_ru="GigaAM v3 (Сбер) с декодером RNN-T, знаками препинания, заглавными буквами и цифрами",
        summary_en="GigaAM v3 (Sber) with an RNN-T decoder, punctuation, capitals and digits",
        punctuates=True,
        wer=(*_gigaam(0.085, 0.064, _E2E_TEXT), _onnx_asr(0.0760)),
        speed=_ryzen(42.4),
    ),
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v2-ctc",
        repository="istupakov/gigaam-v2-onnx",
        layout=layouts.GIGAAM_V2_CTC,
        size_mb=236,
        title_ru="GigaAM v2",
        title_en="GigaAM v2",
        summary_ru="GigaAM v2 (Сбер): предыдущее поколение",
        summary_en="GigaAM v2 (Sber): the generation before",
        wer=_gigaam(0.108, 0.052),
        speed=None,
    ),
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v2-rnnt",
        repository="istupakov/gigaam-v2-onnx",
        layout=layouts.GIGAAM_V2_RNNT,
        size_mb=None,
        title_ru="GigaAM v2 RNN-T",
        title_en="GigaAM v2 RNN-T",
        summary_ru="GigaAM v2 (Сбер) с декодером RNN-T: предыдущее поколение",
        summary_en="GigaAM v2 (Sber) with an RNN-T decoder: the generation before",
        wer=_gigaam(0.103, 0.052),
        speed=None,
    ),
    KnownModel(
        name="onnx:t-one",
        repository="t-tech/T-one",
        layout=layouts.T_ONE,
        size_mb=144,
        licence="Apache-2.0",
        window_s=25,
        title_ru="T-one",
        title_en="T-one",
        summary_ru="T-one (Т-Банк), 71 млн параметров: для телефонных разговоров",
        summary_en="T-one (T-Bank), 71 M parameters: for telephone calls",
        wer=(_onnx_asr(0.0657),),
        speed=_ryzen(25.4),
        int8=False,
    ),
    _VOSK,
    replace(
        _VOSK,
        name="onnx:vosk-model-small-ru",
        repository="alphacep/vosk-model-small-ru",
        size_mb=27,
        title_ru="Vosk 0.52 small",
        title_en="Vosk 0.52 small",
        summary_ru="Vosk 0.52 small (Alpha Cephei): самая маленькая из готовых",
        summary_en="Vosk 0.52 small (Alpha Cephei): the smallest of the ready ones",
        wer=(_onnx_asr(0.1453),),
        speed=_ryzen(72.6),
    ),
    _NEMO_RU,
    replace(
        _NEMO_RU,
        name="onnx:nemo-fastconformer-ru-rnnt",
        layout=layouts.NEMO_RNNT,
        size_mb=None,
        title_ru="FastConformer RNN-T, русская",
        title_en="FastConformer RNN-T, Russian",
        summary_ru="FastConformer (NVIDIA), русская, с декодером RNN-T и знаками препинания",
        summary_en="FastConformer (NVIDIA), Russian, with an RNN-T decoder and punctuation",
        punctuates=True,
        wer=(_onnx_asr(0.1157),),
        speed=_ryzen(59.0),
    ),
    KnownModel(
        name="onnx:nemo-parakeet-tdt-0.6b-v3",
        repository="istupakov/parakeet-tdt-0.6b-v3-onnx",
        layout=layouts.NEMO_TDT,
        size_mb=670,
        licence="CC-BY-4.0",
        window_s=25,
        title_ru="Parakeet 0.6B v3",
        title_en="Parakeet 0.6B v3",
        summary_ru="Parakeet TDT 0.6B v3 (NVIDIA): 25 языков Европы, со знаками препинания",
        summary_en="Parakeet TDT 0.6B v3 (NVIDIA): 25 European languages, with punctuation",
        punctuates=True,
        wer=(_onnx_asr(0.1095),),
        speed=_ryzen(34.1),
    ),
    *WHISPERS,
)

# `auto` means the first of these that is on disk. The order follows the figures above. They were not all measured on
# the same test set, so the true order of neighbours may be different.
AUTO_ORDER = (
    # These models have the fewest errors on natural speech. Models that write capitals and punctuation come first,
    # because people read the text.
    "onnx:gigaam-v3-e2e-rnnt",
    "onnx:gigaam-v3-e2e-ctc",
    "onnx:gigaam-v3-rnnt",
    "onnx:gigaam-v3-ctc",
    # The next best models on natural speech; their word error rates are 10.3 and 10.8 %.
    "onnx:gigaam-v2-rnnt",
    "onnx:gigaam-v2-ctc",
    # From here on, models are ordered by their word error rate on Russian LibriSpeech: 6.6 and 9.9 %.
    "onnx:t-one",
    "onnx:vosk-model-ru",
    # 10.3, 11.0, 11.6 and 13.1 %; these models write punctuation. Speed does not change the order, because no model is
    # so slow that a message would wait for minutes.
    "whisper:openai/whisper-large-v3-turbo",
    "onnx:nemo-parakeet-tdt-0.6b-v3",
    "onnx:nemo-fastconformer-ru-rnnt",
    "onnx:nemo-fastconformer-ru-ctc",
    # These models have no figure for this test. They are ordered by size; a model that was trained for Russian comes
    # before a model that was not.
    "whisper:openai/whisper-medium",
    WHISPER_SMALL_RU,
    # 14.5 %; it writes only lower case.
    "onnx:vosk-model-small-ru",
    "whisper:openai/whisper-small",
    EMBEDDED,
    # 38.3 %; it is in the list for languages other than Russian.
    "whisper:openai/whisper-base",
)

# Models to which a request can name one of a hundred languages. Parakeet always detects which of its 25 is spoken.
MULTILINGUAL = frozenset(f"whisper:openai/whisper-{size}" for size in ("base", "small", "medium", "large-v3-turbo"))
