"""Test the rule for coins, in hundredths of a coin."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glas.domain.people import Role
from glas.domain.rewards import BETA_TESTER_HUNDREDTHS, reward_hundredths, role_for


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0, 0),
        (0.06, 0),
        (0.0625, 1),
        (1, 8),
        (10, 80),
        (19.99, 160),
        (20, 160),
        (20.01, 240),
        (25, 300),
        (29.99, 360),
        (30, 240),
        (60, 480),
        (7200, 57_600),
    ],
)
def test_coins_of_a_message(duration_s: float, expected: int) -> None:
    """8 hundredths per second, half as much again strictly between 20 and 30 s; halves are rounded up."""
    assert reward_hundredths(duration_s) == expected


def test_the_worth_of_a_float_is_what_it_says() -> None:
    """0.3125 s are exactly 2.5 hundredths, and 29.999999999999996 s are less than 30 s."""
    assert reward_hundredths(0.3125) == 3
    assert reward_hundredths(29.999999999999996) == 360


@given(st.floats(min_value=0, max_value=1e5, allow_nan=False))
def test_a_reward_is_the_rule_within_half_a_hundredth(duration_s: float) -> None:
    """The reward agrees with a second computation with fractions of any size."""
    coins = Decimal(str(duration_s)) * 8
    if 20 < duration_s < 30:
        coins = coins * 3 / 2
    assert abs(reward_hundredths(duration_s) - coins) <= Decimal("0.5")


def test_longer_never_pays_less_outside_the_bonus() -> None:
    """Two halves of a long message do not earn more than the message, except by the bonus."""
    durations = [n / 8 for n in range(160)] + [30 + n / 8 for n in range(200)]
    rewards = [reward_hundredths(duration_s) for duration_s in durations]
    assert all(earlier <= later for earlier, later in pairwise(rewards))


@pytest.mark.parametrize("role", list(Role))
def test_roles_only_rise(role: Role) -> None:
    """With 960 coins a user becomes a beta-tester; other roles do not change."""
    assert role_for(BETA_TESTER_HUNDREDTHS - 1, role) is role
    assert role_for(BETA_TESTER_HUNDREDTHS, role) is max(role, Role.BETA_TESTER)
