"""Test deploy/kubernetes: the metrics of the autoscalers exist, and the manual's commands start things in order."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from glas.launch import PARTS
from glas.nn_service.metrics import Metrics as RecognitionMetrics
from glas.tg_bot.metrics import Metrics as BotMetrics
from glas.tg_bot.voices import jobs
from tests.conftest import ROOT
from tests.system.alerts import promtool, with_promtool
from tests.system.manifests import COMPONENT, KUBERNETES, built, container, of_kind, pods, written

_DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("\n## Kubernetes\n")[1].split("\n## ")[0]


def read(name: str) -> Any:
    """Read a file of deploy/kubernetes/monitoring."""
    return yaml.safe_load((KUBERNETES / "monitoring" / name).read_text(encoding="utf-8"))


def test_autoscalers_count_what_the_parts_report() -> None:
    """Metrics and labels exist; the adapter has a rule for each metric, and no others."""
    recognition = RecognitionMetrics(n_in_flight=int, n_loaded=int, n_own_loaded=int, is_choice_served=bool)
    bot = BotMetrics()
    for queue in jobs.queues(1, recognitions=1):
        bot.waiting(queue.name, 0)
    series = (recognition.render() + bot.render()).decode().splitlines()
    asked = set[str]()
    for scaler in of_kind(written("base"), "HorizontalPodAutoscaler").values():
        (metric,) = [one["external"]["metric"] for one in scaler["spec"]["metrics"]]
        labels = ",".join(
            f'{name}="{value}"' for name, value in metric.get("selector", {}).get("matchLabels", {}).items()
        )
        assert f"{metric['name']}{{{labels}}} 0.0" in series or f"{metric['name']} 0.0" in series
        asked.add(metric["name"])
    rules = read("adapter.yml")["externalRules"]
    assert (
        {rule["seriesQuery"] for rule in rules}
        == asked
        == {
            "glas_recognition_requests_in_flight",
            "glas_bot_queue_works",
        }
    )
    # The adapter adds the namespace of the autoscaler to its question; Prometheus writes it to each series.
    assert all(rule["resources"]["overrides"] == {"namespace": {"resource": "namespace"}} for rule in rules)


def test_prometheus_asks_every_pod_with_its_token() -> None:
    """The jobs have the names of deploy/monitoring/rules.yml; each part's pod has one port."""
    every, jobs_found = pods(written("base")), read("prometheus.yml")["scrape_configs"]
    assert [job["job_name"] for job in jobs_found] == [
        job["job_name"]
        for job in yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yml").read_text())["scrape_configs"]
    ]
    assert {job["job_name"] for job in jobs_found} == set(PARTS)
    keys = {"web": "GLAS_API_KEY", "tg_bot": "GLAS_BOT__METRICS_TOKEN"}
    for job in jobs_found:
        name = job["job_name"]
        key = keys.get(name, f"GLAS_{name.upper()}_TOKEN")
        (found,) = job["kubernetes_sd_configs"]
        one = container(every[name.replace("_", "-")])
        assert found["selectors"] == [{"role": "pod", "label": f"{COMPONENT}={name.replace('_', '-')}"}]
        assert job["authorization"] == {"credentials_file": f"/run/tokens/{key}"}
        assert [variable["name"] for variable in one["env"]].count(key) == 1
        assert len(one["ports"]) == 1
        assert {label["target_label"] for label in job["relabel_configs"]} == {"namespace", "pod"}
    (asking,) = of_kind(written("base"), "NetworkPolicy")["metrics"]["spec"]["ingress"]
    assert asking["ports"] == [{"port": "http"}]


@with_promtool
def test_promtool_reads_the_configuration(tmp_path: Path) -> None:
    """All but the search for pods, which Debian's promtool does not know; the test above compares it with the pods."""
    configuration = read("prometheus.yml")
    for job in configuration["scrape_configs"]:
        del job["kubernetes_sd_configs"]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    promtool("check", "config", "--syntax-only", str(tmp_path / "prometheus.yml"))


def test_the_manual_brings_the_tables_up_to_date_before_the_parts() -> None:
    """The first `apply` contains all that the two Jobs need, and none of the parts."""
    (listed,) = re.findall(rf"-l '{re.escape(COMPONENT)} in \(([^)]*)\)'", _DOCS)
    first = set(listed.split(", "))
    base, extra = written("base"), written("overlays/small")
    assert first.isdisjoint(part.replace("_", "-") for part in PARTS)
    shared = {one["metadata"]["labels"][COMPONENT] for one in base if one["kind"] not in {"Deployment", "StatefulSet"}}
    assert {"common", "migrate", "model"} <= shared & first
    assert {one["metadata"]["labels"][COMPONENT] for one in extra} <= first
    needed = ("ConfigMap", "Namespace", "PersistentVolumeClaim")
    assert {one["metadata"]["labels"][COMPONENT] for one in of_kind(base, *needed).values()} == {"common"}
    assert set(re.findall(r"job/(\w+)", _DOCS)) == set(of_kind(base, "Job")) == first - {"common", "db", "s3"}


def test_the_manual_names_what_exists() -> None:
    every = {(one["kind"].lower(), one["metadata"]["name"]) for one in written("base")}
    named = set(re.findall(r"\b(deployment|statefulset|service)/([a-z-]+)", _DOCS))
    assert named
    assert named <= every
    for directory in re.findall(r"`deploy/kubernetes/([\w/]+)`", _DOCS):
        assert (KUBERNETES / directory).is_dir(), directory
    parts = re.findall(r"(?m)^for part in (.*); do$", _DOCS)
    assert [set(names.split()) for names in parts] == [
        {container(pod)["image"].split("/")[1].split(":")[0] for pod in pods(written("base")).values()}
    ]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine, which builds the overlays")
def test_the_overlay_of_the_manual_builds(tmp_path: Path) -> None:
    """The overlay of the manual builds, and makes its changes."""
    (overlay,) = re.findall(r"(?s)```yaml\n(.*?)```", _DOCS)
    shutil.copytree(KUBERNETES / "base", tmp_path / "base")
    mine = tmp_path / "overlays" / "mine"
    mine.mkdir(parents=True)
    (mine / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    manifests = built(str(mine))
    (patch,) = yaml.safe_load(overlay)["patches"]
    told = yaml.safe_load(patch["patch"])["data"]
    assert told.items() <= of_kind(manifests, "ConfigMap")["settings"]["data"].items()
    assert container(pods(manifests)["tg-bot"])["image"].startswith("registry.example.org/glas/tg_bot:")
