"""The manifests of deploy/kubernetes: as written, as built by kubectl, and as a kubelet applies them."""

import math
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPONENT = "app.kubernetes.io/component"
OUTSIDE = "outside"
"""Any address, in an arrow."""
_UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

Manifest = dict[str, Any]
Arrow = tuple[str, str, int]
"""Who calls whom at which port."""


def written(directory: str) -> list[Manifest]:
    """Return the files that a kustomization lists, unchanged, without files of other directories."""
    place = KUBERNETES / directory
    listed = yaml.safe_load((place / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    files = [place / name for name in listed if (place / name).is_file()]
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def built(directory: str) -> list[Manifest]:
    """Return the manifests that `kubectl apply -k` sends to the cluster."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine, which builds the overlays")
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES / directory], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Return the manifests of some kinds by name."""
    found = {one["metadata"]["name"]: one for one in manifests if one["kind"] in kinds}
    assert len(found) == sum(one["kind"] in kinds for one in manifests)
    return found


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return the template of each pod by its component."""
    templates = [one["spec"]["template"] for one in manifests if "template" in one.get("spec", {})]
    found = {one["metadata"]["labels"][COMPONENT]: one["spec"] for one in templates}
    assert len(found) == len(templates)
    return found


def container(pod: Manifest) -> Manifest:
    """Return the first container, which is the part."""
    first: Manifest = pod["containers"][0]
    return first


def service_of(component: str) -> str:
    """Return the name of a component in compose.yaml; names in Kubernetes have no underscores."""
    return component.replace("-", "_")


def quantity(text: str) -> float:
    """Parse a number with a unit of Kubernetes, such as 250m or 2Gi."""
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", text).groups()  # type: ignore[union-attr] # else it fails
    return float(number) * (_UNITS[unit] if unit else 1)


@dataclass(frozen=True)
class Told:
    """The external inputs of a pod: the Secret, the ConfigMap, and its name."""

    secret: Mapping[str, str]
    settings: Mapping[str, str]
    name: str = "pod-0"

    def environment(self, one: Manifest) -> dict[str, str]:
        """Return the variables of a container as the kubelet sets them: references in order, `env` over `envFrom`."""
        found: dict[str, str] = {}
        for variable in one.get("env", []):
            value = self._value(variable, one)
            if value is not None:
                found[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda match: found[match[1]], value)
        assert one.get("envFrom", []) in ([], [{"configMapRef": {"name": "settings"}}])
        return (dict(self.settings) if "envFrom" in one else {}) | found

    def _value(self, variable: Manifest, one: Manifest) -> str | None:
        match variable:
            case {"value": str(text)}:
                return text
            case {"valueFrom": {"secretKeyRef": {"name": "secrets", "key": key, "optional": True}}}:
                return self.secret.get(key)
            case {"valueFrom": {"secretKeyRef": {"name": "secrets", "key": key}}}:
                return self.secret[key]
            case {"valueFrom": {"configMapKeyRef": {"name": "settings", "key": key}}}:
                return self.settings[key]
            case {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}:
                return self.name
            case {"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}:
                return str(math.ceil(quantity(one["resources"]["limits"]["cpu"])))
        raise AssertionError(variable)


def chosen(selector: Manifest, components: set[str]) -> set[str]:
    """Return the components whose pods a selector of labels chooses."""
    found = {one for one in components if selector.get("matchLabels", {}).get(COMPONENT, one) == one}
    for expression in selector.get("matchExpressions", []):
        assert (expression["key"], expression["operator"]) == (COMPONENT, "In")
        assert set(expression["values"]) <= components, f"{expression['values']}: one is no pod"
        found &= set(expression["values"])
    return found


def arrows(manifests: list[Manifest], direction: str) -> set[Arrow]:
    """Return the connections that the NetworkPolicies permit in a direction, without names and metrics."""
    every = pods(manifests)
    components, found = set(every), set[Arrow]()
    for policy in of_kind(manifests, "NetworkPolicy").values():
        rules = policy["spec"].get(direction.lower(), [])
        assert not rules or direction in policy["spec"]["policyTypes"], policy["metadata"]["name"]
        ours = chosen(policy["spec"]["podSelector"], components)
        for rule in rules:
            for peer in _peers(rule, direction, components):
                for port in rule["ports"]:
                    pairs = ((one, peer) if direction == "Egress" else (peer, one) for one in ours)
                    found |= {(*pair, port["port"]) for pair in pairs}
    return found


def _peers(rule: Manifest, direction: str, components: set[str]) -> Iterator[str]:
    for peer in rule.get("to" if direction == "Egress" else "from", [{"ipBlock": {}}]):
        match peer:
            case {"ipBlock": _}:
                yield OUTSIDE
            case {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system" | "monitoring"}}}:
                continue
            case {"podSelector": selector}:
                yield from chosen(selector, components)
            case _:
                raise AssertionError(peer)
