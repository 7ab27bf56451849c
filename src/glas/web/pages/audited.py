"""Describe the values in an entry of the audit in words."""

from collections.abc import Mapping

from glas.localisation import Catalogue
from glas.web.pages import written

_Values = Mapping[str, bool | int | str | None] | None


def change(before: _Values, after: _Values, say: Catalogue) -> str:
    """Return a text about a change, such as «пользователь → администратор» ("user → administrator").

    If there was no value before, only the new value is written, without an arrow.

    If only one value changes, the name of the value is left out, because the action of the entry shows which value
    changed.
    """
    is_one = before and after and before.keys() == after.keys() and len(after) == 1
    write = _said if is_one else _named
    was, now = (", ".join(write(*one, say) for one in (side or {}).items()) for side in (before, after))
    return f"{was} → {now or '—'}" if was else now or "—"


def _named(name: str, value: bool | int | str | None, say: Catalogue) -> str:  # noqa: FBT001 - one of several types
    """Return the name and the value in words; if the catalogue has no words for them, return both as stored."""
    place = name.replace("_", "-")
    if f"audit-value-{place}" not in say:
        return f"{name}: {value}"
    return say(f"audit-value-{place}", value=_said(name, value, say))


def _said(name: str, value: bool | int | str | None, say: Catalogue) -> str:  # noqa: FBT001 - one of several types
    match name, value:
        case _, None:
            return "—"
        case _, bool():
            return say("audit-yes") if value else say("audit-no")
        case "role", int():
            return say(f"role-{value}")
        case "cash_hundredths", int():
            return written.number(value / 100, say.language, 2)
        case "state", str():
            return say(f"records-state-{value.replace('_', '-')}")
        case _:
            return str(value)
