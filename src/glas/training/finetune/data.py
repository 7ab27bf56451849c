"""The recordings of a fine-tuning, and checks of the recordings before the fine-tuning begins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glas.domain.text import normalise
from glas.recognition.references import ReferenceSet, Utterance
from glas.training.finetune.report import Report
from glas.training.finetune.share import FEWEST_WORDS

MOST_REPLAYED = 400
"""Largest number of replayed recordings that are used.

In the experiments of docs/lab-notes.md, more recordings were not necessary.
"""


@dataclass(frozen=True)
class FinetuneData:
    """The recordings for fine-tuning.

    Attributes:
        corrected: recordings with references, from which the model learns. If `dev` is empty, these recordings are
            divided into a training set and a development set (`glas.training.finetune.split`).
        replayed: other recordings with references. Training also uses them, so that the model forgets less of what it
            could recognise before.
        kept: sets of recordings on which the model must not become worse. The model is not trained on them. They are
            used for the choice of the share.
        dev: the development set: recordings with references, for early stopping and the choice of the share.
        version: name of the dataset version that contains the corrected recordings.
        is_personal: whether the new model answers only the person who said the corrected recordings. Its language model
            then learns all words of this person, and not only those that several people said.
    """

    corrected: Sequence[Utterance]
    replayed: Sequence[Utterance] = ()
    kept: Sequence[ReferenceSet] = ()
    dev: Sequence[Utterance] = ()
    version: str | None = None
    is_personal: bool = False


def prepare(data: FinetuneData, report: Report) -> FinetuneData:
    """Leave out replayed recordings if there are too many, give all sets different names, and report too small sets.

    Args:
        data: the recordings, as the caller gives them.
        report: receives the warnings.

    Returns:
        The recordings that will be used.
    """
    data = replace(data, kept=_uniquely_named(data.kept))
    _warn_of_small_sets(data.kept, report)
    if len(data.replayed) > MOST_REPLAYED:
        report("finetune-replayed", all=len(data.replayed), used=MOST_REPLAYED)
        data = replace(data, replayed=_spread(data.replayed, MOST_REPLAYED))
    return data


def _uniquely_named(sets: Sequence[ReferenceSet]) -> list[ReferenceSet]:
    """Add a number to a name that several sets have, because the results for a set are stored under the set's name."""
    names = [one.name for one in sets]
    return [
        replace(one, name=f"{one.name} ({names[: place + 1].count(one.name)})") if names.count(one.name) > 1 else one
        for place, one in enumerate(sets)
    ]


def _warn_of_small_sets(kept: Sequence[ReferenceSet], report: Report) -> None:
    """Report sets that are so small that a worse result on them may be due to chance."""
    for one in kept:
        n_words = sum(len(normalise(utterance.text).split()) for utterance in one.utterances)
        if n_words < FEWEST_WORDS:
            report("finetune-few-kept", name=one.name, words=n_words, least=FEWEST_WORDS)


def _spread(utterances: Sequence[Utterance], most: int) -> list[Utterance]:
    """Return at most `most` recordings, which are spread evenly over all given recordings."""
    n_taken = min(len(utterances), most)
    return [utterances[index * len(utterances) // n_taken] for index in range(n_taken)]
