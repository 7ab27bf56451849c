"""Test how the pages describe the changes in entries of the audit."""

from glas.localisation import catalogue
from glas.web.pages.audited import change


def test_values_are_words_of_the_language() -> None:
    """A value that the pages do not know is shown as it is in the database."""
    found: dict[str, bool | int | str | None] = {
        "role": 2,
        "is_reviewer": True,
        "is_banned": False,
        "cash_hundredths": 250,
        "state": "rolled_back",
        "serves": None,
        "n_words": 3,
    }
    assert change(None, found, catalogue("ru")) == (
        "роль: без ограничений, проверяющий: да, заблокирован: нет, монет: 2,5, состояние: снята, распознаёт: —, "
        "n_words: 3"
    )
    english = change({}, found, catalogue("en"))
    assert english.startswith("role: unlimited, reviewer: yes, banned: no, coins: 2.5, state: ")


def test_one_changed_value_needs_no_name() -> None:
    ru = catalogue("ru")
    assert change({"role": 0}, {"role": 2}, ru) == "пользователь → без ограничений"
    assert change({"is_banned": False}, {"is_banned": True, "until": "завтра"}, ru) == (
        "заблокирован: нет → заблокирован: да, до: завтра"
    )
    assert change({"role": 0}, None, ru) == "роль: пользователь → —"
    assert change(None, {"n_messages": 3}, ru) == "записей: 3"
    assert change(None, None, ru) == change({}, {}, ru) == "—"
