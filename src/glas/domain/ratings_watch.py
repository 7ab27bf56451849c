"""Watch the ratings of a new model, and raise an alarm when they are worse than the ratings of the previous model.

The test is Wald's sequential probability ratio test (1945) for the share of bad ratings. Hypothesis H0: the share of
bad ratings is the same for the new model as for the previous model. Hypothesis H1: the share of the new model is higher
by `WORSE`. Ratings are counted one by one as they come. An alarm is raised when the ratings are `1 / ALARM` times as
probable under H1 as under H0. By Ville's inequality, a new model that is not worse raises a false alarm with a
probability of at most `ALARM`, for any number of ratings.

The share of bad ratings of the previous model is not known exactly but estimated. The permitted probability of a false
alarm is 5 %. Because of the estimate, `ALARM` is smaller than 5 %. In a simulation, the previous model had 700
ratings, and the share of bad ratings was from 5 to 20 %. For each share there were 10,000 runs. Within 300 ratings of a
new model that was not worse, at most 4.8 % of the runs had a false alarm. A model that was worse by `WORSE` raised an
alarm in at least 91 % of the runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log
from typing import Final

WORSE: Final = 0.10
ALARM: Final = 0.04
FEWEST_BEFORE: Final = 700
"""Least number of ratings of the previous model; with fewer ratings, the two models cannot be compared."""
MOST_AFTER: Final = 300
"""Number of ratings of the new model that are watched.

If these ratings raise no alarm, the new model is considered as good as the previous model.
"""

_LEAST, _MOST = 0.02, 0.85  # bounds of the share in H0; nearer to 0 or 1, a single rating could decide


@dataclass
class RatingsWatch:
    """The ratings of two models so far, and whether they raise an alarm.

    Attributes:
        n_before: number of ratings of the previous model.
        bad_before: number of bad ratings of the previous model.
        n_after: number of ratings of the new model that were counted so far.
        bad_after: number of bad ratings of the new model that were counted so far.
    """

    n_before: int
    bad_before: int
    n_after: int = 0
    bad_after: int = 0
    _log_ratio: float = 0.0

    @property
    def summary(self) -> str:
        """The numbers of ratings as a text, which is stored as the reason of a decision about the model."""
        return f"{self.bad_after} of {self.n_after} ratings bad, before {self.bad_before} of {self.n_before}"

    @property
    def can_tell(self) -> bool:
        """Whether the previous model has enough ratings for a comparison."""
        return self.n_before >= FEWEST_BEFORE

    @property
    def share_before(self) -> float:
        """Estimated share of bad ratings of the previous model, limited to 0.02..0.85."""
        return min(max((self.bad_before + 1) / (self.n_before + 2), _LEAST), _MOST)

    @property
    def has_alarm(self) -> bool:
        """Whether the ratings have raised an alarm: the new model is worse than the previous model."""
        return self.can_tell and self._log_ratio >= log(1 / ALARM)

    def count(self, ratings: Iterable[bool]) -> bool:
        """Count ratings of the new model in the order in which they came; True is a bad rating.

        Returns:
            Whether there is an alarm. After an alarm, or after `MOST_AFTER` ratings, nothing more is counted.
        """
        before = self.share_before
        after = before + WORSE
        bad, good, most = log(after / before), log((1 - after) / (1 - before)), log(1 / ALARM)
        for is_bad in ratings:
            if self._log_ratio >= most or self.n_after >= MOST_AFTER:
                break
            self.n_after += 1
            self.bad_after += is_bad
            self._log_ratio += bad if is_bad else good
        return self.has_alarm
