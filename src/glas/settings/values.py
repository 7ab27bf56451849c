"""Interpret values of settings: lists that are separated by commas, and the address on which the server listens."""

import ipaddress


def numbers(text: str) -> frozenset[int]:
    """Parse numbers that are separated by commas."""
    return frozenset(int(part) for part in text.split(",") if part.strip())


def listed(text: str) -> list[str]:
    """Split a text at commas; return the parts without white space around them, and without empty parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on `host` (an IP address or a name) can be reached only from this machine.

    For a name other than `localhost`, the result is always False.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
