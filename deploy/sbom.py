# ruff: noqa: INP001 - a script, not a package
"""Write a bill of materials (CycloneDX 1.6, JSON): what Glas is made of, from the files that pin it.

Usage: python deploy/sbom.py FILE. It reads requirements/run.txt (packages with all their hashes), compose.yaml (images
of other programs) and the checksums of the embedded model. It needs no network and no package, and gives the same file
for the same input.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODEL = "whisper-base-ru"

_PIN = re.compile(
    r"(?m)^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: ; ([^\\\n]+))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$"
)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_IMAGE = re.compile(r"(?m)^ {4}image: ([\w./-]+):([\w.-]+)$")
_VERSION = re.compile(r'(?m)^__version__ = "([^"]+)"$')


def bill(root: Path = ROOT) -> dict[str, Any]:
    """Return the document.

    Raises:
        ValueError: a requirement is not pinned with hashes.
    """
    version = _VERSION.findall((root / "src" / "glas" / "__init__.py").read_text(encoding="utf-8"))[0]
    compose = [(root / name).read_text(encoding="utf-8") for name in ("compose.yaml", "compose.tls.yaml")]
    components = [
        *packages((root / "requirements" / "run.txt").read_text(encoding="utf-8")),
        *images("\n".join(compose)),
        model((root / "models" / MODEL / "SHA256SUMS").read_text(encoding="utf-8")),
    ]
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # Named after the content, so that the same input gives the same file.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'glas {version} {content}')}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "glas", "name": "glas", "version": version}},
        "components": components,
    }


def packages(text: str) -> Iterator[dict[str, Any]]:
    """Yield the packages of a requirements file; one with a marker is installed on some systems only."""
    found = list(_PIN.finditer(text))
    lines = re.findall(r"(?m)^[^\s#].*$", text)
    if len(found) != len(lines):
        raise ValueError(f"expected {len(lines)} requirements to be pinned with hashes, got {len(found)}")
    for match in found:
        name, version, marker, hashes = match.groups()
        purl = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
        notes = [("glas:marker", marker.strip())] if marker else []
        # Each hash is that of one file of the package: a wheel for one system, or the sources.
        notes += [("glas:file-sha256", digest) for digest in _HASH.findall(hashes)]
        yield {
            "type": "library",
            "bom-ref": f"{purl}#{marker.strip()}" if marker else purl,
            "name": name,
            "version": version,
            "purl": purl,
            "scope": "optional" if marker else "required",
            "properties": [{"name": key, "value": value} for key, value in notes],
        }


def images(text: str) -> Iterator[dict[str, Any]]:
    """Yield the images of other programs that Compose starts, each once."""
    for name, version in sorted(set(_IMAGE.findall(text))):
        purl = f"pkg:docker/{name}@{version}"
        yield {"type": "container", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def model(checksums: str) -> dict[str, Any]:
    """Return the embedded model with the hash of its weights."""
    (digest,) = re.findall(r"(?m)^([0-9a-f]{64}) [ *]model\.bin$", checksums)
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{MODEL}",
        "name": MODEL,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(), indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {len(bill()['components'])} components")  # noqa: T201
