"""Send a report of the gate: one HTML document with its own style, plots and sound in it.

The policy of the pages allows no style in the HTML. So a report gets a policy of its own, which is no weaker. It
permits the report's styles by their hashes and the sound within the document. It permits nothing else, so no script at
all. The browser also treats it as a document without an origin (`sandbox`), which has no part in the session.
`allow-scripts` of the sandbox lets the browser's own tools, and our tests, look into the document; `default-src 'none'`
refuses every script of the report all the same.
"""

import base64
import hashlib
import re
from typing import Final

from fastapi.responses import HTMLResponse

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def report_page(body: str) -> HTMLResponse:
    """Return the answer with a report, and a policy that permits exactly its parts."""
    return HTMLResponse(body, headers={"Content-Security-Policy": policy_of(body)})


def policy_of(body: str) -> str:
    """Return the content security policy of a report."""
    styles = " ".join(_hash(style) for style in _STYLE.findall(body)) or "'none'"
    return (
        f"default-src 'none'; style-src {styles}; media-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox allow-scripts"
    )


def _hash(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
