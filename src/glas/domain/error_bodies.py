"""Convert errors to bodies of HTTP answers, and bodies or codes of errors back to exceptions."""

from glas.domain.errors import GlasError, ServiceFaultError


def _tree(root: type[GlasError]) -> dict[str, type[GlasError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def from_code(code: str, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> GlasError:
    """Return the exception with this `code`; if the code is unknown, return a `ServiceFaultError`."""
    cls = _tree(GlasError).get(code, ServiceFaultError)
    return cls(message, param=param, retry_after_s=retry_after_s)


def to_body(error: GlasError) -> dict[str, dict[str, str | None]]:
    """Return the JSON body of an error in the format of OpenAI's API, so that OpenAI's clients can read it."""
    kind = "invalid_request_error" if error.status < GlasError.status else "server_error"
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def from_body(status: int, body: object, *, retry_after_s: float | None = None) -> GlasError:
    """Return the exception that an HTTP answer reports; if its body has an unknown format, a `ServiceFaultError`."""
    match body:
        case {"error": {"message": str(message), "code": str(code), **rest}}:
            param = rest.get("param")
            return from_code(
                code, message, param=param if isinstance(param, str) else None, retry_after_s=retry_after_s
            )
        case _:
            return ServiceFaultError(
                f"expected an answer or an error body, got status {status} with {str(body)[:200]!r}"
            )
