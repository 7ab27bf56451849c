"""Cut corrected recordings into examples: pieces of sound, each with its text."""

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis
from glas.recognition import Recogniser
from glas.recognition.references import Utterance
from glas.training.finetune.targets import target_text
from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples, decode_audio
from glas.training.sound.noises import any_noise

LONGEST_S = 25.0  # of an example; Whisper's window is 30 s
EDGE_S = 0.2  # seconds of sound that are kept before and after a piece of a longer recording

# Ranges of the length of sounds without speech, in seconds, and of their level (root mean square) in decibels; 0 dB is
# full scale.
SOUND_S, SOUND_DB = (2.0, 9.0), (-45.0, -12.0)

Read = Callable[[Path], Samples]


class Example(NamedTuple):
    """A piece of sound and the words that are said in it.

    Attributes:
        name: name of the recording.
        text: the words, in the spelling of the model.
        samples: shape (n,), 16 kHz, -1..1.
    """

    name: str
    text: str
    samples: Samples


def examples(recogniser: Recogniser, utterances: Sequence[Utterance], read: Read | None = None) -> Iterator[Example]:
    """Yield the examples of recordings with references.

    A recording that is longer than `LONGEST_S` is cut into its pieces of speech. A piece is used only if its first word
    and its last word were recognised correctly. For other pieces, it is not known which words of the reference are said
    in them.

    Args:
        recogniser: recogniser with the model that will learn.
        utterances: recordings with references.
        read: decodes a file to samples; None means `decode_audio`.

    Raises:
        AudioError: a recording cannot be decoded.
    """
    for one in utterances:
        hypothesis = recogniser.transcribe(one.audio.read_bytes).hypothesis
        samples = read(one.audio) if read else decode_audio(str(one.audio))
        if len(samples) <= LONGEST_S * SAMPLE_RATE_HZ:
            yield Example(one.name, target_text(one.text, hypothesis.text), samples)
        else:
            yield from _pieces(one, hypothesis, samples)


def sounds_without_speech(count: int) -> Iterator[Example]:
    """Yield `count` sounds without speech, always the same ones; their texts are empty.

    A model that learns only from speech may begin to write texts for noise. The gate refuses such a model. The gate
    uses other sounds (`glas.recognition.nonspeech`).
    """
    rng = np.random.default_rng(0)
    for number in range(count):
        sound = any_noise(rng, int(rng.uniform(*SOUND_S) * SAMPLE_RATE_HZ), [])
        yield Example(f"sound {number}", "", np.clip(sound * np.float32(10 ** (rng.uniform(*SOUND_DB) / 20)), -1, 1))


def _pieces(utterance: Utterance, hypothesis: Hypothesis, samples: Samples) -> Iterator[Example]:
    """Yield the examples of a long recording."""
    said = utterance.text.split()
    places = _places(said, hypothesis.text.split())
    first = 0
    for segment in hypothesis.segments:
        end = first + len(segment.text.split())
        start, last = places.get(first), places.get(end - 1)
        first = end
        if start is None or last is None or segment.end_s - segment.start_s > LONGEST_S:
            continue
        begin = max(0, int((segment.start_s - EDGE_S) * SAMPLE_RATE_HZ))
        stop = int((segment.end_s + EDGE_S) * SAMPLE_RATE_HZ)
        text = target_text(" ".join(said[start : last + 1]), segment.text)
        yield Example(utterance.name, text, samples[begin:stop])


def _places(said: Sequence[str], heard: Sequence[str]) -> dict[int, int]:
    """Match recognised words with the words of the reference.

    The keys of the result are indices of words in `heard`. Each value is the index of the matching word in `said`.
    Words without a match are left out.
    """
    matcher = SequenceMatcher(
        None, [normalise(w) or w for w in heard], [normalise(w) or w for w in said], autojunk=False
    )
    return {
        block.a + offset: block.b + offset for block in matcher.get_matching_blocks() for offset in range(block.size)
    }
