"""The alerts of deploy/monitoring, promtool, and the cases of rules_test.yml amid the series of a real run."""

import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from glas.launch import PARTS
from tests.conftest import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
with_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool on this machine (Debian: package prometheus)"
)
_MINUTES = {"m": 1, "h": 60}
Case = dict[str, Any]
"""A case of promtool's unit tests."""


def read(name: str) -> Any:
    """Read a YAML file of deploy/monitoring."""
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


def named_alerts() -> list[str]:
    """Return the names of the alerts, in the order of the rules."""
    return [rule["alert"] for group in read("rules.yml")["groups"] for rule in group["rules"]]


def promtool(*arguments: str) -> None:
    """Run promtool in deploy/monitoring, and expect it to find no fault."""
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def amid_a_real_run(cases: Iterable[Case], alerts: Iterable[str], before: str, after: str) -> Iterator[Case]:
    """Yield a case without a fault, and those of the cases in which an alert fires, until it fires.

    Each begins as the real run, and what happened in the run happens again in every step. A case replaces the metrics
    that it names. All other alerts must not fire at its end.

    Args:
        cases: of rules_test.yml.
        alerts: the names of all alerts.
        before: a page of /metrics at the beginning of the run.
        after: the same page at its end.
    """
    real = dict(_real_series(before, after))
    healthy: Case = {"interval": "1m", "input_series": [], "alert_rule_test": []}
    for case in [healthy, *(one for one in cases if any(test.get("exp_alerts") for test in one["alert_rule_test"]))]:
        own, fires = case["input_series"], [test for test in case["alert_rule_test"] if test.get("exp_alerts")]
        end = max((test["eval_time"] for test in fires), key=_minutes, default="60m")
        replaced = {_metric(one["series"]) for one in own}
        n_steps = _minutes(end) // _minutes(case["interval"])
        series = [
            {"series": name, "values": f"{step}x{n_steps}"}
            for name, step in real.items()
            if _metric(name) not in replaced
        ]
        fired = {test["alertname"] for test in fires}
        silent = [{"eval_time": end, "alertname": alert} for alert in alerts if alert not in fired]
        yield case | {"input_series": own + series, "alert_rule_test": fires + silent}


def _real_series(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield each series of the run with its first value and its growth, as promtool writes them."""
    yield from ((f'up{{job="{part}"}}', "1+0") for part in PARTS)
    began = {_series(one.name, one.labels): one.value for one in _samples(before)}
    for family in text_string_to_metric_families(after):
        for one in family.samples:
            name, value = _series(one.name, one.labels), one.value
            first = began.get(name, 0.0) if family.type != "gauge" else value
            if one.name.endswith("_timestamp_seconds"):
                # promtool's time begins with 0.
                first = value = value - time.time()
            elif one.name == "glas_disk_free_bytes":
                # That of this machine may be nearly full.
                first = value = began[_series("glas_disk_size_bytes", one.labels)] / 2
            yield name, f"{first:.6f}+{value - first:.6f}"


def _samples(page: str) -> Iterator[Any]:
    return (one for family in text_string_to_metric_families(page) for one in family.samples)


def _series(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{inside}}}"


def _metric(series: str) -> str:
    return series.partition("{")[0]


def _minutes(duration: str) -> int:
    return int(duration[:-1]) * _MINUTES[duration[-1]]
