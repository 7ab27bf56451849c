"""Accept forms as existing programs send them: with files without a name, and with lists in several notations."""

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile

_FILE: Final = "file"
# The notations are `name`, `name[]` and `name[0]`. OpenAI's own clients write `name[]`.
_LIST: Final = re.compile(r"(timestamp_granularities|include|keywords|languages)(?:\[\d*\])?")


def form_route(max_body_bytes: int) -> type[APIRoute]:
    """Return a class of routes that read their form with `_FormRequest`.

    Args:
        max_body_bytes: largest permitted size of one part of a form, in bytes.
    """

    class FormRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def handle_form(request: Request) -> Response:
                answer: Response = await handle(_FormRequest(request, max_body_bytes))
                return answer

            return handle_form

    return FormRoute


class _FormRequest(Request):
    """A request whose form is converted to OpenAI's notation before FastAPI reads it."""

    def __init__(self, request: Request, max_part_bytes: int) -> None:
        super().__init__(request.scope, request.receive)
        self._max_part_bytes = max_part_bytes
        self._straight: FormData | None = None

    async def form(self, **_limits: Any) -> FormData:  # type: ignore[override]  # only ever awaited
        """Read the form and convert it; later calls return the same form."""
        if self._straight is None:
            read = await super().form(max_part_size=self._max_part_bytes)
            self._straight = FormData([item for name, value in read.multi_items() for item in _straight(name, value)])
        return self._straight


def _straight(name: str, value: UploadFile | str) -> Iterator[tuple[str, UploadFile | str]]:
    if isinstance(value, str):
        if name == _FILE:
            data = _bytes(value)
            yield name, UploadFile(BytesIO(data), size=len(data))
            return
        if found := _LIST.fullmatch(name):
            for one in _listed(value):
                yield f"{found[1]}[]", one
            return
    yield name, value


def _bytes(text: str) -> bytes:
    """Return the bytes of a file that the form parser has read as text, because the file has no name.

    If every character of the text is below U+0100, each character is one byte (Latin-1). Otherwise the text is encoded
    as UTF-8.
    """
    return text.encode("utf-8" if any(letter > "\xff" for letter in text) else "latin-1")


def _listed(value: str) -> list[str]:
    """Return the values of a field that contains a list: a JSON list, or values that are separated by commas."""
    if value.startswith("["):
        try:
            values = json.loads(value)
        except ValueError:
            return [value]
        return [str(one) for one in values]
    return [part.strip() for part in value.split(",")]
