"""Find the browser for the tests of the pages."""

import shutil

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""In the order of preference: without windows, the first one takes a quarter less processor time than the others."""
MISSING = "no Chromium on this machine (Debian: apt-get install chromium-headless-shell)"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without the next three Chromium sends requests to its maker's servers at its start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def find_chromium() -> str | None:
    """Return the path of the first of `PROGRAMS` that is installed; None if none is."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)
