"""The recogniser: chooses a model for each recording, and turns the recording into text with this model."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from glas.audio.decoder import DecoderPool
from glas.audio.limits import decode_limits
from glas.audio.segmentation import SegmentationOptions, VoiceActivityDetector
from glas.domain.decoding import UNSPECIFIED, DecodingOptions
from glas.domain.errors import InvalidParameterError, ModelError, OverloadedError
from glas.domain.transcription import Recognition
from glas.domain.writing import Style
from glas.engines import Engine
from glas.engines.catalogue import AUTO, is_on_disk, known_models, multilingual_on_disk, resolve
from glas.engines.load import load_engine
from glas.engines.onnx import CPU, CUDA
from glas.engines.versions import ModelVersions
from glas.recognition.batcher import Batcher
from glas.recognition.job import Job
from glas.recognition.languages import AnotherLanguageError, FirstAttempt
from glas.recognition.loaded import LoadedModel
from glas.recognition.loading import LoadEngine
from glas.recognition.names import ModelNames
from glas.recognition.registry import Registry
from glas.recognition.slots import SlotPool
from glas.recognition.transcriber import Progress, Transcriber
from glas.settings import Settings

_log = structlog.stdlib.get_logger("glas.recognition")


class Recogniser:
    """Turns recordings into text. `open_recogniser` makes the object, and several threads may use it.

    Args:
        registry: the registry of loaded models.
        transcriber: recognises recordings with a model.
        multilingual: function that returns the uniform name of a model for languages other than Russian; None if there
            is no such model.
    """

    def __init__(self, registry: Registry, transcriber: Transcriber, multilingual: Callable[[], str | None]) -> None:
        self.registry = registry
        self._transcriber = transcriber
        self._multilingual = multilingual

    def transcribe(
        self,
        source: bytes | Callable[[], bytes],
        options: DecodingOptions = UNSPECIFIED,
        *,
        model: str = AUTO,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Recognition:
        """Recognise one recording.

        Args:
            source: a whole file in any accepted format, or a function that reads it.
            options: options of recognition.
            model: name of a model as callers write it, such as `auto` or `onnx:gigaam-v3-ctc`.
            on_progress: is called in the calling thread after each piece of speech, in order, without waiting for the
                next piece.

        Raises:
            UnknownModelError: there is no such model.
            InvalidParameterError: the model does not support `options`.
            ModelError: the model cannot be loaded.
            AudioError: the bytes cannot be decoded to samples.
        """
        return self.run(Job(options), self.choose(model, options), source, on_progress=on_progress)

    def choose(self, model: str, options: DecodingOptions) -> str:
        """Choose the model for a recording, without loading the model.

        The result is the model that the caller names, with one exception. If the caller means the default model, and
        this model is loaded and cannot recognise the language, the result is a multilingual model on disk, if any.

        Returns:
            A uniform name or an alias. An alias is resolved later, when the model is leased.

        Raises:
            UnknownModelError: there is no such model.
            InvalidParameterError: the model is loaded and does not support `options`.
        """
        name = self.registry.canonical(model)
        loaded = self.registry.loaded().get(self.registry.find(name))
        if loaded is None:
            return name
        languages = loaded.engine.abilities.languages
        if name == AUTO and options.language is not None and options.language not in languages:
            name = self._multilingual() or name
            loaded = self.registry.loaded().get(self.registry.find(name))
        if loaded is not None:
            require_able(loaded.engine, options)
        return name

    def run(
        self,
        job: Job,
        name: str,
        source: bytes | Callable[[], bytes],
        *,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Recognition:
        """Recognise one recording with the model that `choose` returned; another thread may end the job meanwhile.

        Args:
            job: the job of the recording.
            name: the result of `choose`.
            source: a whole file, or a function that reads it.
            on_progress: see `transcribe`.

        Raises:
            GlasError: the errors of `transcribe` and of `Job.check`.
        """
        data = source if isinstance(source, bytes) else source()
        with self.registry.lease(name, job) as model:
            return self.run_with(job, model, data, on_progress=on_progress)

    def run_with(
        self, job: Job, model: LoadedModel, data: bytes, *, on_progress: Callable[[Progress], None]
    ) -> Recognition:
        """Recognise one recording with a loaded model; the caller must keep the model loaded until this method returns.

        Raises:
            GlasError: the errors of `run`.
        """
        require_able(model.engine, job.options)
        attempt = FirstAttempt(on_progress, functools.partial(self._model_for, model.engine))
        try:
            return self._transcriber.transcribe(
                data, model, job, on_progress=attempt.on_progress, on_foreign=attempt.on_foreign
            )
        except AnotherLanguageError as error:
            another = error
        guess = job.options
        job.options = guess.model_copy(update={"language": another.language, "checks_language": False})
        try:
            with self.registry.lease(another.model, job) as other:
                require_able(other.engine, job.options)
                return self._transcriber.transcribe(data, other, job, on_progress=on_progress)
        except (ModelError, OverloadedError) as error:
            _log.warning("the model for another language cannot be used", model=another.model, error=error.message)
        job.options = guess
        return self._transcriber.transcribe(data, model, job, on_progress=on_progress)

    def _model_for(self, engine: Engine, language: str) -> str | None:
        """Return the uniform name of a model that can write a language.

        If the model of `engine` can write the language, return its name. Otherwise return the name of a multilingual
        model on disk, or None if there is none.
        """
        return engine.name if language in engine.abilities.languages else self._multilingual()


def require_able(engine: Engine, options: DecodingOptions) -> None:
    """Raise an error if a model does not support the options.

    Raises:
        InvalidParameterError: the model cannot recognise the requested language, or cannot translate.
    """
    abilities = engine.abilities
    if options.task == "translate" and not abilities.translates:
        raise InvalidParameterError(
            f"expected a model that translates (a multilingual Whisper), got {engine.name}, which only writes down "
            "what is said",
            param="model",
        )
    if options.language is not None and options.language not in abilities.languages:
        known = ", ".join(sorted(abilities.languages))
        raise InvalidParameterError(
            f"expected a language of {engine.name} ({known}), got {options.language!r}", param="language"
        )


@contextmanager
def open_recogniser(settings: Settings, load: LoadEngine | None = None) -> Iterator[Recogniser]:
    """Load the default model, and start the threads and processes that recognition needs.

    At the end of the context, running calls of engines are finished. Then the threads and processes are stopped, and
    the models are unloaded.

    Args:
        settings: the settings; they contain the name of the model, and the limits of recognition.
        load: makes an engine from a model's uniform name; None loads the files on disk.

    Raises:
        UnknownModelError: the model in GLAS_MODEL does not exist.
        ModelError: the model cannot be loaded.
    """
    with contextlib.closing(make_registry(settings, load)) as registry:
        registry.load(registry.default)
        with _open_transcriber(settings) as transcriber:
            yield Recogniser(registry, transcriber, functools.partial(multilingual_on_disk, settings.models_dir))


@contextmanager
def _open_transcriber(settings: Settings) -> Iterator[Transcriber]:
    """Start the batcher, the slots and the decoder processes, with the limits from the settings."""
    nn, audio = settings.nn_service, settings.audio
    n_long = nn.worker_count
    with contextlib.ExitStack() as stack:
        batcher = Batcher(nn.worker_count)
        stack.callback(batcher.close)
        # The decoders are closed before the batcher, so that recordings that are still being decoded end, and submit no
        # further pieces.
        decoder = DecoderPool(audio.decode_workers + n_long, decode_limits(audio))
        stack.callback(decoder.close)
        decoder.start()
        yield Transcriber(
            decoder,
            VoiceActivityDetector(),
            _segmentation(nn.vad_threshold),
            batcher,
            messages=SlotPool(audio.decode_workers),
            long=SlotPool(n_long),
            style=Style(sentences=nn.sentences, digits=nn.digits),
        )


def _segmentation(threshold: float) -> SegmentationOptions:
    """Return the options for finding speech in a recording, with a given threshold.

    Speech begins when its probability rises above the threshold, and ends when its probability falls below a second
    value, the release. The release must not be higher than the threshold, so the release is lowered if necessary.
    """
    return SegmentationOptions(threshold=threshold, release=min(threshold, SegmentationOptions().release))


def make_registry(settings: Settings, load: LoadEngine | None = None) -> Registry:
    """Make a registry of the models on disk without loading any. For the arguments, see `open_recogniser`.

    Raises:
        UnknownModelError: the model in GLAS_MODEL does not exist.
    """
    nn, models_dir = settings.nn_service, settings.models_dir

    def from_disk(name: str) -> Engine:
        return load_engine(
            name,
            models_dir=models_dir,
            threads=nn.threads,
            workers=nn.worker_count + 1,  # the batcher has one additional worker for messages
            beam_size=nn.beam_size,
            providers=(CUDA, CPU) if nn.device == "cuda" else (CPU,),
            precision=None if nn.precision == "auto" else nn.precision,
        )

    def available() -> list[str]:
        return [model.name for model in known_models() if is_on_disk(models_dir, model.name)]

    return Registry(
        ModelNames(
            functools.partial(resolve, models_dir=models_dir),
            default=resolve(settings.model, models_dir),
            available=available,
        ),
        load or from_disk,
        version_of=ModelVersions(models_dir).version_of,
        most=nn.max_models,
        keep_alive_s=nn.keep_alive_s,
        keep_former_s=nn.keep_former_s,
    )
