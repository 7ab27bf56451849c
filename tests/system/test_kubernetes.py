"""Test deploy/kubernetes without a cluster: it agrees with compose.yaml, and rights are minimal."""

import json
import re
from urllib.parse import urlsplit

import jsonschema_rs
import pytest

import glas
from glas.launch import PARTS
from glas.settings import Settings, rows
from glas.settings.files import secret_variables
from tests.conftest import ROOT
from tests.system.composition import Service, composition
from tests.system.kubernetes_schema import path_of
from tests.system.manifests import (
    COMPONENT,
    OUTSIDE,
    Manifest,
    Told,
    arrows,
    built,
    container,
    of_kind,
    pods,
    quantity,
    service_of,
    written,
)

_BASE, _SMALL = "base", "overlays/small"
_LASTING = ("Deployment", "StatefulSet")
_INSIDE = {"DB_HOST": "db", "GLAS_S3_ENDPOINT": "http://s3:8333"}
# Variables out of which others are put together.
_PIECES = {"DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_APP_PASSWORD", "DB_WORK_PASSWORD", "S3_BUCKET_NAME"}
_IDS = {"ADMIN_USER_IDS", "ALLOWED_TELEGRAM_USER_IDS"}
_SECRETS = {variable for variable, _ in secret_variables(Settings, "GLAS_")} | {"GLAS_API_KEYS"}


@pytest.fixture(scope="module")
def schemas() -> dict[str, jsonschema_rs.Draft202012Validator]:
    """Return the validators of manifests, by version and kind."""
    whole = json.loads(path_of().read_text(encoding="utf-8"))
    found = {}
    for name, schema in whole["$defs"].items():
        known = schema.get("properties", {})
        if "enum" in known.get("kind", {}):
            kind = f"{known['apiVersion']['enum'][0]} {known['kind']['enum'][0]}"
            found[kind] = jsonschema_rs.Draft202012Validator(whole | {"$ref": f"#/$defs/{name}"})
    return found


@pytest.fixture(scope="module", params=["written", _BASE, _SMALL, "overlays/gpu"])
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Return the manifests of the base, then all manifests as kubectl builds them."""
    return written(_BASE) if request.param == "written" else built(request.param)


@pytest.fixture(scope="module")
def composed(variables_of_env: dict[str, str]) -> dict[str, Service]:
    """Return the services of compose.yaml, with the names of Kubernetes."""
    services = composition(variables_of_env)["services"]
    for service in services.values():
        told = {name: str(value) for name, value in service.get("environment", {}).items()}
        service["environment"] = {name: _with_our_hosts(value) for name, value in told.items()}
    return {name.replace("_", "-"): service for name, service in services.items()}


def _with_our_hosts(value: str) -> str:
    return re.sub(rf"//({'|'.join(PARTS)}):", lambda match: match[0].replace("_", "-"), value)


def _settings(manifests: list[Manifest]) -> dict[str, str]:
    data: dict[str, str] = of_kind(manifests, "ConfigMap")["settings"]["data"]
    return data


def test_manifests_keep_the_schemas_of_kubernetes(
    manifests: list[Manifest], schemas: dict[str, jsonschema_rs.Draft202012Validator]
) -> None:
    """No field is misspelt, and none has a wrong type."""
    for one in [*manifests, *written(_SMALL)]:
        faults = list(schemas[f"{one['apiVersion']} {one['kind']}"].iter_errors(one))
        assert not faults, (one["metadata"]["name"], [(fault.instance_path, fault.message) for fault in faults])
    policy = next(one for one in manifests if one["kind"] == "NetworkPolicy")
    wrong = policy | {"spec": policy["spec"] | {"podselector": {}}}
    assert not schemas["networking.k8s.io/v1 NetworkPolicy"].is_valid(wrong)


def test_nobody_may_more_than_needed(manifests: list[Manifest]) -> None:
    """No root, no capabilities, writes only to volumes, no access to the cluster, limits for everything."""
    (namespace,) = of_kind(manifests, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(manifests).items():
        assert pod["automountServiceAccountToken"] is False, name
        # Their variables, such as WEB_PORT, could be taken for settings.
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == (999 if name == "db" else 10001), name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod), name
        for one in pod["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            asked, most = one["resources"]["requests"], one["resources"]["limits"]
            assert all(quantity(asked[what]) <= quantity(most[what]) for what in ("cpu", "memory")), name
        for volume in pod["volumes"]:
            assert "persistentVolumeClaim" in volume or "sizeLimit" in volume["emptyDir"], name
    assert not of_kind(manifests, "Secret")


def test_limits_and_volumes_are_those_of_compose(composed: dict[str, Service]) -> None:
    """Memory, time to stop, size of /tmp and mounts agree with compose.yaml."""
    for name, pod in pods(written(_BASE)).items():
        service, one = composed[name], container(pod)
        assert _bytes(service["mem_limit"]) == quantity(one["resources"]["limits"]["memory"]), name
        assert service.get("stop_grace_period") in (None, f"{pod.get('terminationGracePeriodSeconds')}s"), name
        (tmpfs,) = service["tmpfs"]
        tmp = next(volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "tmp")
        assert tmp["medium"] == "Memory", name
        assert _bytes(tmpfs.split("size=")[1].split(",")[0]) == quantity(tmp["sizeLimit"]), name
        mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in one["volumeMounts"]}
        volumes = [volume.split(":")[1:] for volume in service.get("volumes", [])]
        assert mounts == {target: kind == ["ro"] for target, *kind in volumes} | {"/tmp": False}, name  # noqa: S108


def _bytes(text: str) -> float:
    return quantity(text[:-1] + {"m": "Mi", "g": "Gi"}[text[-1]])


def test_parts_are_told_what_compose_tells_them(
    composed: dict[str, Service], variables_of_env: dict[str, str], manifests: list[Manifest]
) -> None:
    """Addresses, ports, roles and tokens agree; no pod gets a secret that it does not need."""
    told = Told(variables_of_env, _settings(manifests) | _INSIDE)
    # These are told in another way: see the tests below.
    apart = {"GLAS_MODEL", "HF_ENDPOINT", "GLAS_BOT__SLOT"}
    for name, pod in pods(manifests).items():
        for one in pod["containers"][: 1 if name == "s3" else None]:
            given, expected = told.environment(one), composed[name]["environment"]
            assert {
                key: value for key, value in expected.items() if value and key not in apart
            }.items() <= given.items()
            own = {variable["name"] for variable in one.get("env", [])}
            assert own - set(expected) <= _PIECES | {"PGDATA"}, name
            assert ("DB_PASSWORD" in own) == (name == "migrate"), name


def test_every_other_setting_reaches_the_same_parts(variables_of_env: dict[str, str]) -> None:
    """Each setting reaches the pods of the parts that compose.yaml gives it to."""
    names = {row.variable for row in rows()}
    marked = {name: f"told-{name}" for name in names}
    services = composition(variables_of_env | marked)["services"]
    base = written(_BASE)
    hidden = {name for name in names if name in _SECRETS | _IDS}
    assert not set(_settings(base)) & hidden
    assert set(_settings(base)) <= names | {"DB_HOST"}
    told = Told(
        variables_of_env | {name: marked[name] for name in hidden},
        _settings(base) | {name: marked[name] for name in names - hidden},
    )
    for name, pod in pods(base).items():
        given = told.environment(container(pod))
        expected = {key for key, value in services[service_of(name)]["environment"].items() if value == f"told-{key}"}
        reached = {key for key, value in given.items() if value == f"told-{key}"}
        # One processor more or less is a matter of the pod's limit.
        assert expected - reached <= {"GLAS_NN_SERVICE__WORKERS"}, name
        assert reached & hidden == expected & hidden, name
    assert "GLAS_BOT__USER_MINUTES_PER_DAY" in told.environment(container(pods(base)["tg-bot"]))


def test_secrets_are_references(manifests: list[Manifest]) -> None:
    """No manifest contains the value of a secret, not even an empty one."""
    for pod in pods(manifests).values():
        for variable in (variable for one in pod["containers"] for variable in one.get("env", [])):
            name = variable["name"]
            if name == "GLAS_DATABASE_URL":
                assert re.fullmatch(r"\S+:\$\(DB_(APP_|WORK_)?PASSWORD\)@\$\(DB_HOST\)\S+", variable["value"])
            elif name in _SECRETS | _IDS or re.search("PASSWORD|SECRET|TOKEN|KEY|USER", name):
                assert "secretKeyRef" in variable["valueFrom"], name


def test_images_and_commands_are_those_of_compose(composed: dict[str, Service], manifests: list[Manifest]) -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    is_gpu = "GLAS_NN_SERVICE__DEVICE" in _settings(manifests)
    for name, pod in pods(manifests).items():
        service, one = composed[name], container(pod)
        if "build" in service:
            target = service["build"]["target"] + ("_gpu" if is_gpu and name == "nn-service" else "")
            assert target in targets
            assert one["image"] == f"glas/{target}:{glas.__version__}"
        else:
            assert {one["image"] for one in pod["containers"]} == {service["image"]}
        if name == "model":
            assert one["command"] == ["sh", "-c", 'exec python -m glas models get "${GLAS_MODEL:-embedded}"']
            assert service["command"] == ["models", "get", "embedded"]
        elif name == "s3":
            arguments = [part.replace("$(S3_BUCKET_NAME)", "glas") for part in one["args"]]
            assert [*one["command"], *arguments] == [*service["entrypoint"], *service["command"]]
            (script,) = composed["s3-fsync"]["command"]
            assert script in pod["containers"][1]["args"][0].replace("$(S3_BUCKET_NAME)", "glas")
        else:
            assert "command" not in one
            assert one.get("args") == service.get("command"), name


def test_every_part_is_asked_whether_it_lives(composed: dict[str, Service], manifests: list[Manifest]) -> None:
    """Probes use the port of the part and its Service, and include the check of compose.yaml."""
    services = of_kind(manifests, "Service")
    for name in (part.replace("_", "-") for part in PARTS):
        one = container(pods(manifests)[name])
        (port,) = one["ports"]
        apart = {"web": "GLAS_PORT", "tg-bot": "GLAS_BOT__METRICS_PORT"}
        told = {"name": apart.get(name, f"GLAS_{service_of(name).upper()}__PORT"), "value": str(port["containerPort"])}
        assert told in one["env"], name
        (served,) = services[name]["spec"]["ports"]
        assert served == {"name": "http", "port": port["containerPort"], "targetPort": "http"}
        assert services[name]["spec"]["selector"] == {COMPONENT: name}
        lives, works = ("/", "/") if name == "web" else ("/health", "/ready")
        for probe, path in (("startupProbe", lives), ("livenessProbe", lives), ("readinessProbe", works)):
            assert one[probe]["httpGet"] == {"path": path, "port": "http"}, (name, probe)
        asked = composed[name]["healthcheck"]["test"][-1]
        assert name == "tg-bot" or any(f":{port['containerPort']}{path}'" in asked for path in (lives, works)), name


def test_each_arrow_has_its_counterpart(manifests: list[Manifest], variables_of_env: dict[str, str]) -> None:
    """Each permitted outgoing call is permitted as an incoming call, and agrees with the addresses."""
    every = pods(manifests)
    going, coming = arrows(manifests, "Egress"), arrows(manifests, "Ingress")
    inside = {arrow for arrow in going if OUTSIDE not in arrow}
    assert inside == {arrow for arrow in coming if OUTSIDE not in arrow}
    assert coming - inside == {(OUTSIDE, "web", 8000)}
    told = Told(variables_of_env, _settings(manifests))
    called = set[tuple[str, str, int]]()
    for name, pod in every.items():
        for key, value in told.environment(container(pod)).items():
            is_own = key != "GLAS_S3_ENDPOINT" or name == "data-loader"
            if is_own and (key.endswith("_URL") or key == "GLAS_S3_ENDPOINT"):
                host, port = urlsplit(value).hostname or "", urlsplit(value).port or 443
                called.add((name, host if host in every else OUTSIDE, port))
    internet = {("tg-bot", OUTSIDE, 443), ("model", OUTSIDE, 443)}
    assert going == called | internet
    policies = of_kind(manifests, "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {arrow[0] for arrow in going} == set(
        policies["names"]["spec"]["podSelector"]["matchExpressions"][0]["values"]
    )


def test_what_is_named_exists(manifests: list[Manifest]) -> None:
    """Labels, volumes, claims and Services exist."""
    services, claims = of_kind(manifests, "Service"), of_kind(manifests, "PersistentVolumeClaim")
    for name, workload in of_kind(manifests, *_LASTING, "Job").items():
        spec, pod = workload["spec"], workload["spec"]["template"]["spec"]
        assert spec["template"]["metadata"]["labels"][COMPONENT] == workload["metadata"]["labels"][COMPONENT] == name
        volumes = {volume["name"] for volume in pod["volumes"]}
        own = {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
        assert {mount["name"] for one in pod["containers"] for mount in one["volumeMounts"]} == volumes | own, name
        used = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
        assert {claim["claimName"] for claim in used} <= set(claims), name
        if workload["kind"] != "Job":
            assert spec["selector"] == {"matchLabels": {COMPONENT: name}}
            assert spec.get("serviceName", name) == name
            assert name in services


def test_pods_of_which_there_are_many(manifests: list[Manifest]) -> None:
    """Pods are not all evicted at once; no file sets a number that an autoscaler sets."""
    budgets, scalers = of_kind(manifests, "PodDisruptionBudget"), of_kind(manifests, "HorizontalPodAutoscaler")
    lasting = of_kind(manifests, *_LASTING)
    many = {name for name, one in lasting.items() if one["spec"].get("replicas", 1) > 1} | set(scalers)
    assert many <= set(budgets) == {"db-assist", "nn-service", "tg-bot", "web"}
    assert "data-loader" not in many
    for name, budget in budgets.items():
        assert budget["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": {COMPONENT: name}}}
    for name, scaler in scalers.items():
        target = {"apiVersion": "apps/v1", "kind": lasting[name]["kind"], "name": name}
        assert scaler["spec"]["scaleTargetRef"] == target
        assert "replicas" not in lasting[name]["spec"]


def test_the_overlay_for_graphics_cards_is_that_of_compose(variables_of_env: dict[str, str]) -> None:
    overlay, manifests = composition(variables_of_env, "compose.gpu.yaml")["services"], built("overlays/gpu")
    assert set(overlay) == {"nn_service"}
    service, one = overlay["nn_service"], container(pods(manifests)["nn-service"])
    assert service["environment"].items() <= _settings(manifests).items()
    assert _bytes(service["mem_limit"]) == quantity(one["resources"]["limits"]["memory"])
    assert one["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert one["image"].startswith(f"glas/{service['build']['target']}:")
