"""Choose news about a new model for each person from whom the model learnt: the message whose text improved most."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from glas.clients.model_record_bodies import LONGEST_NEWS_CHARS, NewsItem
from glas.domain.errors import AudioError
from glas.domain.metrics import word_errors
from glas.domain.splits import Split
from glas.recognition import open_recogniser
from glas.settings import Settings
from glas.training.datasets.exported import HYPOTHESIS, Message, read_export, target_of
from glas.training.datasets.version import Entry, Version, text_sha256

MOST_TRIED = 3  # messages of each person
LONGEST_S = 30.0  # longest message that is used, in seconds


class ComparedMessage(NamedTuple):
    """A message with the texts that the previous model and the new model recognised.

    Attributes:
        entry: the entry of the message in the dataset version.
        reference: the right words of the recording.
        before: text by the previous model; empty if the message cannot be recognised.
        after: text by the new model; empty if the message cannot be recognised.
    """

    entry: Entry
    reference: str
    before: str
    after: str


def news_of(settings: Settings, export: Path, version: Version, *, former: str, model: str) -> tuple[NewsItem, ...]:
    """Recognise some messages of each person with both models, and choose the message whose text improved most.

    A person whose messages did not improve gets no news.

    Args:
        settings: the settings of the server.
        export: directory of the export.
        version: the dataset version on which the new model was trained.
        former: name of the previous model.
        model: name of the new model.

    Raises:
        DataSetError: there is no export.
        ModelError: a model cannot be loaded.
    """
    chosen = [one for some in _taught(export, version).values() for one in some]
    files = [message.audio for _, message, _ in chosen]
    texts = [_texts(settings, name, files) for name in (former, model)]
    found = defaultdict[str, list[ComparedMessage]](list)
    for (entry, _, words), before, after in zip(chosen, *texts, strict=True):
        found[entry.speaker].append(ComparedMessage(entry, words, before, after))
    return tuple(one for tried in found.values() for one in best(tried))


def best(tried: Sequence[ComparedMessage]) -> Iterator[NewsItem]:
    """Yield the one among a person's messages whose text improved most; yield nothing if no text improved.

    If two messages improved equally, a message that was not used for training is preferred, because its text is a
    fairer example of what the model can do.
    """
    better = [(gain, one) for one in tried if (gain := _gain(one)) > 0]
    if better:
        _, one = max(better, key=lambda pair: (pair[0], pair[1].entry.split is Split.DEV, pair[1].entry.id))
        yield NewsItem(transcription_id=one.entry.id, text_before=one.before, text_after=one.after)


def _gain(one: ComparedMessage) -> int:
    """Return how many word errors the new model avoided; return 0 if a text is empty or too long to be shown."""
    if not all(0 < len(text) <= LONGEST_NEWS_CHARS for text in (one.before, one.after)):
        return 0
    wrong, _ = word_errors([one.reference] * 2, [one.before, one.after])
    return int(wrong[0] - wrong[1])


def _taught(export: Path, version: Version) -> dict[str, list[tuple[Entry, Message, str]]]:
    """Return for each speaker the messages to recognise: corrected messages of the version that are in the export.

    Messages of the development set are before all others. Apart from this, newer messages are before older messages.
    """
    messages = {message.id: message for message in read_export(export)}
    found = defaultdict[str, list[tuple[Entry, Message, str]]](list)
    entries = [one for one in version.entries if one.split is not Split.TEST and one.rank != HYPOTHESIS]
    for entry in sorted(entries, key=lambda one: (one.split is not Split.DEV, -one.id)):
        message = messages.get(entry.id)
        target = None if message is None else target_of(message, min_confidence=version.min_confidence)
        if message is None or target is None or not target.text or entry.duration_s > LONGEST_S:
            continue
        if text_sha256(target.text) == entry.reference_sha256 and len(found[entry.speaker]) < MOST_TRIED:
            found[entry.speaker].append((entry, message, target.text))
    return found


def _texts(settings: Settings, model: str, files: Sequence[Path]) -> list[str]:
    """Recognise files with a model; if a file cannot be recognised, its text is empty."""
    if not files:
        return []
    with open_recogniser(settings.model_copy(update={"model": model})) as recogniser:

        def recognised(file: Path) -> str:
            try:
                return recogniser.transcribe(file.read_bytes).hypothesis.text
            except (AudioError, FileNotFoundError):
                return ""

        with ThreadPoolExecutor(settings.nn_service.worker_count) as pool:
            return list(pool.map(recognised, files))
