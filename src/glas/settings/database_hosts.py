"""Convert a database URL with several hosts from the format of libpq and psql to the format of SQLAlchemy."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_PORT = 5432


def with_hosts(url: str) -> str:
    """Return a URL like `postgresql://user@a,b:5433/name` as `postgresql://user@/name?host=a:5432&host=b:5433`.

    Of several database servers, only one accepts writes. So the parameter `target_session_attrs=read-write` is added:
    then the driver connects to the server that accepts writes. If `url` already contains this parameter, the value of
    the parameter is kept. A URL with one host is returned unchanged.

    Raises:
        ValueError: `url` is not a URL.
    """
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    if "," not in place:
        return url
    query = dict(parse_qsl(parts.query))
    query.setdefault("target_session_attrs", "read-write")
    hosts = [("host", _with_port(host)) for host in place.split(",")]
    return urlunsplit((parts.scheme, f"{login}{at}", parts.path, urlencode([*hosts, *query.items()], safe=":[]"), ""))


def _with_port(host: str) -> str:
    # An IPv6 address in brackets contains colons of its own.
    return host if ":" in host.rpartition("]")[2] else f"{host}:{_PORT}"
