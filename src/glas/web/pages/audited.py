"""Format the values of an audit entry in words for the pages."""

from collections.abc import Mapping

from glas.localisation import Catalogue
from glas.web.pages import written


def values(found: Mapping[str, bool | int | str | None] | None, say: Catalogue) -> str:
    """Return the values before or after a change; a dash if there are none."""
    return ", ".join(_named(name, value, say) for name, value in found.items()) if found else "—"


def _named(name: str, value: bool | int | str | None, say: Catalogue) -> str:  # noqa: FBT001 - one of several types
    """Return a value with its name; a value that the pages do not know is shown as in the database."""
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
