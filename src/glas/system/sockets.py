"""Poll sockets without reading from them."""

import select


def has_input(descriptor: int) -> bool:
    """Return whether a socket has unread input: data, or the end of the connection."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
