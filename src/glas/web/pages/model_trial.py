"""Compare two models on messages of people: the ratings of their texts, and their texts of the same recordings."""

from dataclasses import dataclass

from glas.clients.dashboard import Cell
from glas.clients.db_assist import DbAssistClient
from glas.domain.model_ref import ModelRef
from glas.domain.ratings_watch import FEWEST_BEFORE, RatingsWatch
from glas.localisation import Catalogue
from glas.web.pages import written
from glas.web.pages.dashboard_cards import as_number

_MOST_AGE_S = 30.0


@dataclass(frozen=True)
class Trial:
    """The comparison of a model with another model on messages of people.

    Attributes:
        ratings: the ratings of the texts of both models.
        texts: counts of the recordings that both models recognised; None if there are no such recordings. The counts
            are `messages`, `same` (equal texts), `references`, `words` (of the references), `errors` (word errors of
            the model), and `errors_before` (word errors of the other model).
    """

    ratings: RatingsWatch
    texts: dict[str, float] | None

    @property
    def is_begun(self) -> bool:
        """Whether there are ratings or texts to compare."""
        return self.ratings.n_after > 0 or self.texts is not None

    def told(self, say: Catalogue) -> list[str]:
        """Return the results as sentences in the language of the page."""
        ratings = self.ratings
        counts = {"bad": ratings.bad_after, "rated": ratings.n_after}
        before = {"bad_before": ratings.bad_before, "rated_before": ratings.n_before}
        said = [say("models-trial-ratings", **counts, **before)]
        if not ratings.can_tell:
            said.append(say("watch-too-few", least=FEWEST_BEFORE))
        else:
            said.append(say("watch-worse" if ratings.has_alarm else "watch-fine"))
        return said + self._told_of_texts(say)

    def _told_of_texts(self, say: Catalogue) -> list[str]:
        if self.texts is None:
            return [say("models-trial-no-texts")]
        found = self.texts
        same = written.percent(found["same"] / found["messages"], say.language)
        said = [say("models-trial-texts", count=int(found["messages"]), same=same)]
        if found["words"]:
            before, after = (
                written.percent(found[name] / found["words"], say.language, 2) for name in ("errors_before", "errors")
            )
            said.append(say("models-trial-wer", count=int(found["references"]), before=before, after=after))
        return said


async def compare(db_assist: DbAssistClient, before: ModelRef, after: ModelRef) -> Trial:
    """Compare the model `after` with the model `before`.

    The counts of texts are taken from the dashboard, so they may be up to `_MOST_AGE_S` seconds old.
    """
    ratings = await db_assist.compare_ratings(before, after)
    figures = (await db_assist.dashboard(most_age_s=_MOST_AGE_S)).figures
    return Trial(ratings, _texts(figures["second_texts"].records(), before, after))


def _texts(records: list[dict[str, Cell]], before: ModelRef, after: ModelRef) -> dict[str, float] | None:
    for record in records:
        first, second = (f"{record[f'{of}model']}@{record[f'{of}version']}" for of in ("", "other_"))
        if {first, second} == {str(before), str(after)}:
            ours, theirs = ("", "other_") if first == str(after) else ("other_", "")
            return {
                **{name: as_number(record[name]) for name in ("messages", "same", "references", "words")},
                "errors": as_number(record[f"{ours}word_errors"]),
                "errors_before": as_number(record[f"{theirs}word_errors"]),
            }
    return None
