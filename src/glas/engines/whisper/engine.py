"""The engine for Whisper.

A piece is decoded without Whisper's time tokens. The encoder's input is the piece followed by as much silence as the
model needs. A model that was trained on pieces without silence needs no silence. If it is not known how much
silence a model needs (`glas.engines.whisper.context`), the piece is followed by silence up to the full window of 30 s.
If a text looks wrong (see `glas.engines.whisper.clip.looks_wrong`), the piece is decoded a second time in the full
window. If this text looks wrong, too, the piece is decoded a third time with sampling. When the text is known, the
times of its words are computed from the attention. If there is a language model beside the weights (`lm.npz`), the
engine uses this language model to choose among the texts that were found.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from glas.domain.decoding import PLAIN, RUSSIAN, Abilities, DecodingOptions
from glas.domain.errors import ConfigurationError, ModelError, ModelLoadError
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.language_model import LanguageModel
from glas.engines.pieces import MIN_SAMPLES, check_pieces, nothing_heard
from glas.engines.whisper.backend import Backend, Device, Precision, storage_of
from glas.engines.whisper.cache import converted
from glas.engines.whisper.clip import Clip
from glas.engines.whisper.confidence import Calibrates, load_calibration
from glas.engines.whisper.context import FULL_WINDOW, ContextRule
from glas.engines.whisper.mel import FRAMES_PER_S, filled, log_mel
from glas.engines.whisper.network import Network, check_device
from glas.engines.whisper.onnx_network import OnnxNetwork
from glas.engines.whisper.recognition_call import RecognitionCall, Rules

# For a graphics card. On a processor, a batch of four pieces of 4 s saves a seventh of the time, pieces of 8 s save
# nothing, and a piece that is padded to the length of another may get another text.
BATCH_SIZE, BATCH_S = 8, 64.0
# The encoder has no mask, so the pieces of a batch are padded to the longest. The silence margin of a model covers
# padding of this length.
MAX_SPREAD_FRAMES = FRAMES_PER_S


class WhisperEngine:
    """A loaded Whisper model; see `glas.engines.Engine`. Several threads may call `recognise` at the same time.

    Pieces of one call are recognised in batches if this is faster (`abilities.batch_size`) and if the pieces have
    similar lengths. The engine forms the batches, and returns the hypotheses in the order of the pieces.

    Args:
        directory: a checkpoint of Hugging Face (safetensors) or a CTranslate2 model.
        name: uniform name of the model.
        cache: directory in which converted checkpoints are stored.
        device: the device on which the model runs.
        precision: precision of the large matrices; None means int8 on a processor and float16 on a graphics card.
        threads: number of processor threads of one call.
        workers: number of parallel calls on a graphics card, which share the weights; on a processor, the number of
            parallel calls is not limited.
        beam_size: width of the search; see `glas.engines.whisper.backend.Backend.generate`; 1 means greedy decoding.
        context: how much silence follows a piece in the encoder's input; None means the result of `context_rule`.
        retry_within_s: a piece may be decoded again only within this time after the beginning of a call, in seconds.
        calibration: object that computes the confidence of words; None uses the calibration beside the weights, if
            there is one.

    Raises:
        ModelFileMissingError: a file is missing in the directory.
        ModelLoadError: the files are damaged, or do not belong to a Whisper.
        ConfigurationError: there is no such device, or it does not support the precision.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str,
        cache: Path,
        device: Device = "cpu",
        precision: Precision | None = None,
        threads: int = 1,
        workers: int = 1,
        beam_size: int = 1,
        context: ContextRule | None = None,
        retry_within_s: float = 20.0,
        calibration: Calibrates | None = None,
    ) -> None:
        precision = precision or ("int8" if device == "cpu" else "float16")
        network = _load(directory, cache, device, precision, threads=threads, workers=workers)
        self.name = name
        self.window_s = network.n_frames / FRAMES_PER_S
        self._network: Backend | None = network
        self.context = context or network.context
        self._rules = Rules(
            model=name,
            context=self.context,
            beam_size=beam_size,
            language_model=LanguageModel(directory / LM_FILE) if (directory / LM_FILE).is_file() else None,
            calibration=calibration or load_calibration(directory),
            retry_within_s=retry_within_s,
        )
        self.abilities = Abilities(
            batch_size=BATCH_SIZE if device == "cuda" else 1,
            batch_s=BATCH_S,
            languages=network.languages or frozenset({"en"}),
            # A model for one language has no English words in its vocabulary.
            translates=len(network.languages) > 1,
            takes_prompt=True,
            takes_keywords=True,
        )
        _try_out(network, directory)

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Recognise pieces of speech; see `glas.engines.Engine`.

        Raises:
            InvalidParameterError: a piece is not an array of samples (float32, one channel, finite numbers), or the
                model does not know the language.
            AudioTooLongError: a piece is longer than `window_s`.
            ModelError: the engine is closed.
        """
        network = self._network
        if network is None:
            raise ModelError(f"The engine {self.name} is closed.")
        check_pieces(batch, window_s=self.window_s, model=self.name)
        hearing = RecognitionCall(network, self._rules, options)
        found = [nothing_heard(samples, self.name, options.language or RUSSIAN) for samples in batch]
        clips = {
            index: Clip(samples, *log_mel(samples, network.n_mels))
            for index, samples in enumerate(batch)
            if samples.size >= MIN_SAMPLES
        }
        for group in self._groups(clips, options):
            heard = hearing.hear([clips[index] for index in group])
            found = [heard[group.index(index)] if index in group else one for index, one in enumerate(found)]
        return found

    def close(self) -> None:
        """Free the weights after all running calls have ended."""
        self._network = None

    def _groups(self, clips: Mapping[int, Clip], options: DecodingOptions) -> Iterator[list[int]]:
        """Yield the indices of the clips of each batch; the clips of a batch have similar lengths.

        A batch has only one clip if batches are not faster, or if an option needs single clips.
        """
        # If languages are detected, the clips may need different prompts. A text can be scored only against one sound.
        is_one_sound = options.language is None or options.compared or options.hotwords
        is_alone = is_one_sound or self.context == FULL_WINDOW
        size = 1 if is_alone else BATCH_SIZE
        group: list[int] = []
        for index in sorted(clips, key=lambda index: clips[index].n_frames):
            spread = clips[index].n_frames - clips[group[0]].n_frames if group else 0
            if len(group) == size or spread > MAX_SPREAD_FRAMES:
                yield group
                group = []
            group.append(index)
        if group:
            yield group


def _load(directory: Path, cache: Path, device: Device, precision: Precision, *, threads: int, workers: int) -> Backend:
    """Load the network: in onnxruntime on a processor, in CTranslate2 on a graphics card."""
    if device == "cpu":
        if precision not in ("int8", "float32"):
            raise ConfigurationError(
                "Expected a precision (GLAS_NN_SERVICE__PRECISION) that a processor knows here (float32, int8), "
                f"got {precision}."
            )
        return OnnxNetwork(converted(directory, cache, precision), precision=precision, threads=threads)
    check_device(device, precision)
    model = converted(directory, cache, storage_of(precision))
    return Network(model, device=device, precision=precision, threads=threads, workers=workers)


def _try_out(network: Backend, directory: Path) -> None:
    """Recognise a second of silence, to check that the network, mel bands and tokens fit together."""
    vocabulary = network.vocabulary
    task = vocabulary.task(next(iter(vocabulary.languages), "en"), "transcribe")
    try:
        heard = network.encode([filled(*log_mel(np.zeros(SAMPLE_RATE_HZ, np.float32), network.n_mels), FRAMES_PER_S)])
        prompts = [vocabulary.prompt(task, PLAIN)]
        network.generate(heard, prompts, most_tokens=2, temperature=0, beam_size=1, with_times=True)
    except (RuntimeError, ValueError) as error:
        raise ModelLoadError(f"The model in {directory} loads, but fails on a second of silence: {error}") from error
