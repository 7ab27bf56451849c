"""Send a report of the gate: one HTML document that contains its style, plots and sound.

The content security policy of the pages permits no style in the HTML. So a report is sent with a different policy. This
policy permits the styles of the report by their hashes, and the sound within the document. The policy permits nothing
else, in particular no script. The browser also treats the report as a document without an origin (`sandbox`), so the
report cannot use the visitor's session. The sandbox has the option `allow-scripts`, so that the developer tools of the
browser and the tests of Glas can inspect the document. Scripts in the report are still refused because of `default-src
'none'`.
"""

import base64
import hashlib
import re
from typing import Final

from fastapi.responses import HTMLResponse

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def report_page(body: str) -> HTMLResponse:
    """Return an answer with a report, and with a content security policy that permits only the parts of this report."""
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
