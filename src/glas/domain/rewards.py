"""Compute the payment for a rating, in hundredths of a coin; only `db_assist` pays it."""

from decimal import ROUND_HALF_UP, Decimal

from glas.domain.people import Role

COINS_PER_SECOND = Decimal("0.08")
BONUS = Decimal("1.5")
BONUS_ABOVE_S = Decimal(20)
BONUS_BELOW_S = Decimal(30)
BETA_TESTER_HUNDREDTHS = 960_00


def reward_hundredths(duration_s: float) -> int:
    """Return the payment for a rated message: 0.08 coins for each second.

    If the message has a duration between 20 s and 30 s, the payment is 1.5 times as much.

    Args:
        duration_s: seconds of audio, counted in decoded samples.

    Returns:
        Hundredths of a coin; halves are rounded up.
    """
    seconds = Decimal(str(duration_s))
    coins = seconds * COINS_PER_SECOND
    if BONUS_ABOVE_S < seconds < BONUS_BELOW_S:
        coins *= BONUS
    return int((coins * 100).quantize(Decimal(1), ROUND_HALF_UP))


def role_for(cash_hundredths: int, role: Role) -> Role:
    """Return the new role of a person with the balance `cash_hundredths`; it is never lower than the current `role`."""
    return max(role, Role.BETA_TESTER) if cash_hundredths >= BETA_TESTER_HUNDREDTHS else role
