"""Format times, durations and numbers for the web pages."""

from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup

from glas.localisation.catalogue import rounded
from glas.localisation.plurals import written


def moment(value: datetime | None, language: str) -> Markup:
    """Format a time in UTC, such as «26.11.2026, 14:05» or "26 Nov 2026, 14:05"; return a dash for None."""
    if value is None:
        return Markup("—")
    value = value.astimezone(UTC)
    shown = f"{value:%d.%m.%Y, %H:%M}" if language == "ru" else f"{value.day} {value:%b %Y, %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(timespec="seconds"), shown)


def day(date: str, language: str) -> str:
    """Format a date, given as YYYY-MM-DD, without its year, such as «26.11» or "26 Nov"."""
    value = datetime.fromisoformat(date)
    return f"{value:%d.%m}" if language == "ru" else f"{value.day} {value:%b}"


def clock(value: datetime) -> Markup:
    """Format the time of day of a time in UTC, with seconds, such as "14:05:09 UTC"."""
    value = value.astimezone(UTC)
    return Markup('<time datetime="{}">{:%H:%M:%S} UTC</time>').format(value.isoformat(timespec="seconds"), value)


def length(seconds: float | None) -> str:
    """Format the duration of a recording, such as "0:07" or "1:02:03"; return a dash for None."""
    if seconds is None:
        return "—"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: float | None, language: str, digits: int = 1) -> str:
    """Format a number with at most `digits` decimals, without zeros at the end; return a dash for None."""
    if value is None:
        return "—"
    decimal = rounded(value, digits)
    whole = decimal.to_integral_value()
    return written(language, int(whole) if decimal == whole else decimal.normalize())


def percent(share: float | None, language: str, digits: int = 1) -> str:
    """Format a share (0..1) in per cent, such as «7,5 %» or "7.5%"; return a dash for None."""
    if share is None:
        return "—"
    return number(100 * share, language, digits) + ("\N{NO-BREAK SPACE}%" if language == "ru" else "%")


def amount(hundredths: int, language: str) -> str:
    """Format an amount of coins with a sign and without a noun, such as "+0.8"."""
    shown = Decimal(hundredths).scaleb(-2)
    whole = shown.to_integral_value()
    digits = written(language, int(whole) if shown == whole else shown.normalize())
    return digits if hundredths < 0 else f"+{digits}"
