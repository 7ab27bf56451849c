"""Values in entries of the audit, as the pages write them."""

from glas.localisation import catalogue
from glas.web.pages.audited import values


def test_values_are_words_of_the_language() -> None:
    """What the pages do not know stands as in the database."""
    found: dict[str, bool | int | str | None] = {
        "role": 2,
        "is_reviewer": True,
        "is_banned": False,
        "cash_hundredths": 250,
        "state": "rolled_back",
        "serves": None,
        "n_words": 3,
    }
    assert values(found, catalogue("ru")) == (
        "роль: без ограничений, проверяющий: да, заблокирован: нет, монет: 2,5, состояние: снята, распознаёт: —, "
        "n_words: 3"
    )
    assert values(found, catalogue("en")).startswith("role: unlimited, reviewer: yes, banned: no, coins: 2.5, state: ")
    assert values(None, catalogue("ru")) == values({}, catalogue("ru")) == "—"
