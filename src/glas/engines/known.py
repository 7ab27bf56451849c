"""The table of models that Glas knows by name: what they are, and what others measured of them."""

from dataclasses import dataclass, replace

from glas.engines import layouts
from glas.engines.layouts import Layout

EMBEDDED = "embedded"
WHISPER_SMALL_RU = "whisper:Dok-tor/whisper-small-ru"


@dataclass(frozen=True)
class PublishedWer:
    """A word error rate that somebody else measured. Compare only figures of one source.

    Attributes:
        wer: errors per word, 0..1.
        test_set: what was recognised.
        normalisation: what was done to the texts before counting.
        source: who says so.
    """

    wer: float
    test_set: str
    normalisation: str
    source: str


@dataclass(frozen=True)
class PublishedSpeed:
    """Seconds of audio per second of work (RTFx), as somebody else measured it."""

    rtfx: float
    hardware: str
    source: str


@dataclass(frozen=True)
class KnownModel:
    """A model that can be named.

    Attributes:
        name: uniform name, `<engine>:<model>`; `embedded` alone has no colon.
        repository: its place on the model hub; None for the embedded model, which comes with Glas.
        layout: its files.
        size_mb: what is fetched, int8 where it exists, in 10⁶ bytes, rounded; None where no source tells.
        licence: SPDX identifier of the weights.
        window_s: the longest piece of audio for one call, seconds.
        summary_ru: one line for people.
        summary_en: the same in English.
        wer: what others measured, the test most like voice messages first.
        speed: what others measured, in fp32; None where nobody did.
        int8: whether the hub has int8 files.
        punctuates: whether it writes capitals and punctuation.
    """

    name: str
    repository: str | None
    layout: Layout
    size_mb: float | None
    licence: str
    window_s: float
    summary_ru: str
    summary_en: str
    wer: tuple[PublishedWer, ...] = ()
    speed: PublishedSpeed | None = None
    int8: bool = True
    punctuates: bool = False

    @property
    def short_name(self) -> str:
        """The name without the engine and without the owner of the repository: `gigaam-v3-ctc`."""
        return self.name.rpartition(":")[2].rpartition("/")[2]


# Sources of the figures. GigaAM: evaluation.md of salute-developers/GigaAM, June 2026. onnx-asr: docs/comparison.md of
# istupakov/onnx-asr, 2026, which ran the very library and files that are used here. Sizes: file lists of the hub
# (T-one, Vosk) and of programs that fetch the same files (the others).
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
        summary_ru="GigaAM v3 (Сбер) с декодером RNN-T: самая точная здесь, строчные буквы без знаков",
        summary_en="GigaAM v3 (Sber) with an RNN-T decoder: the most accurate here, lower case without punctuation",
        wer=(*_gigaam(0.069, 0.044), _onnx_asr(0.0439)),
        speed=_ryzen(42.4),
    ),
    replace(
        _GIGAAM_V3,
        name="onnx:gigaam-v3-e2e-ctc",
        layout=layouts.GIGAAM_V3_E2E_CTC,
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
        summary_ru="Parakeet TDT 0.6B v3 (NVIDIA): 25 языков Европы, со знаками препинания",
        summary_en="Parakeet TDT 0.6B v3 (NVIDIA): 25 European languages, with punctuation",
        punctuates=True,
        wer=(_onnx_asr(0.1095),),
        speed=_ryzen(34.1),
    ),
    KnownModel(
        name=WHISPER_SMALL_RU,
        repository="Dok-tor/whisper-small-ru",
        layout=layouts.WHISPER,
        size_mb=None,
        licence="Apache-2.0",
        window_s=30,
        summary_ru="Whisper small, дообученная на русский: модель исходной системы",
        summary_en="Whisper small fine-tuned for Russian: the original system's model",
        punctuates=True,
        wer=(PublishedWer(0.1492, "Common Voice 11 ru, test", "not stated", "its model card"),),
        int8=False,
    ),
)
