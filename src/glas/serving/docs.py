"""Show an OpenAPI document as a plain page without scripts and without files of other hosts."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "h2{margin:2.5rem 0 .25rem;font-size:1.1rem}code{font-family:ui-monospace,monospace}p{margin:.25rem 0 .75rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-top:1px solid #8884;padding:.3rem .8rem .3rem 0;"
    "text-align:left;vertical-align:top}"
)


def render(document: dict[str, Any]) -> str:
    """Return an HTML page that shows the purpose, the fields and the answers of each operation of a service.

    Args:
        document: the OpenAPI document of the service, as a JSON object.
    """
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    operations = "".join(
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{title}</h1>'
        f'<p>{escape(info.get("description", ""))}</p><p><a href="openapi.json">openapi.json</a></p>{operations}</html>'
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    fields = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(text)}</td></tr>"
        for name, kind, text in _fields(document, operation)
    )
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer.get('description', ''))}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}</h2>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        + (f"<table><tr><th>field<th>type<th>meaning</tr>{fields}</table>" if fields else "")
        + f"<table><tr><th>status<th>meaning</tr>{answers}</table>"
    )


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield three texts for each parameter of an operation, and for each field of the body of its request.

    For a field, the texts are its name, its type and its meaning. For a parameter, the place of the parameter, such as
    `query`, is yielded instead of the type.
    """
    for parameter in operation.get("parameters", []):
        yield parameter["name"], parameter["in"], parameter.get("description", "")
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for schema in _variants(document, content["schema"]):
            required = schema.get("required", [])
            for name, field in schema.get("properties", {}).items():
                found = next(_variants(document, field), {})
                kind = " ".join(filter(None, (found.get("type"), "(required)" if name in required else "")))
                allowed = ", ".join(map(str, found.get("enum", found.get("items", {}).get("enum", []))))
                yield name, kind, " ".join(filter(None, (field.get("description"), allowed and f"One of: {allowed}.")))


def _variants(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alternatives of a schema, except null; each reference (`$ref`) is replaced by the schema it names."""
    for one in schema.get("anyOf", [schema]):
        found = one
        if "$ref" in one:
            found = document["components"]["schemas"][one["$ref"].rpartition("/")[2]]
        if found.get("type") != "null":
            yield found
