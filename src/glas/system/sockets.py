"""Sockets without reading from them."""

import select


def has_input(descriptor: int) -> bool:
    """Tell whether something has arrived on a socket that nobody has read yet: data, or the end of the connection."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
