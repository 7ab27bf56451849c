"""Test deploy/monitoring: its metrics exist in the parts, and each alert fires when it should."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from glas.clients.http import open_http
from glas.domain.errors import ConfigurationError
from glas.launch import PARTS
from glas.launch.assembly import assembled
from glas.launch.listeners import BOT_METRICS, listeners
from glas.settings import BotSettings, Settings
from glas.settings.keys import new_key
from tests.conftest import ROOT
from tests.system.alerts import MONITORING, amid_a_real_run, named_alerts, promtool, read, with_promtool
from tests.system.composition import composition
from tests.telegram.server import TelegramServer

DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
KEY, TOKEN = "a-key-of-the-owner-that-is-long-enough", "a-token-of-prometheus-that-is-long"
_SUBJECTS = ("recognition", "bot", "database", "ledger", "store", "export", "disk")
_LABELS = {"outcome", "code", "kind", "queue", "model", "version", "status", "score", "directory", "le"}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def expressions() -> Iterator[tuple[str, str]]:
    """Return all expressions of the rules and dashboards, with their places."""
    for group in read("rules.yml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for path in boards():
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]


def boards() -> list[Path]:
    """Return the files of the dashboards."""
    found = sorted((MONITORING / "grafana" / "boards").glob("*.json"))
    assert found
    return found


class Pages:
    """The answers of `/metrics` after a message was answered.

    Attributes:
        owner: to the owner of a process in which all parts run.
        before: the same before the message.
        user: there, to somebody who may only recognise.
        bot: the bot's own port.
        refused: the status of the bot's port without its token.
        probes: the status of `/health` and `/ready` there, before and after Telegram has answered.
        person: who sent the message, and what was recognised in it.
    """

    def __init__(self, answers: Mapping[str, httpx.Response], probes: list[int], person: int, text: str) -> None:
        self.owner, self.user, self.bot = (answers[name].text for name in ("owner", "user", "bot"))
        self.before = answers["before"].text
        self.refused = answers["stranger"].status_code
        self.probes, self.person, self.text = probes, person, text

    @property
    def families(self) -> dict[str, Metric]:
        """Return the metrics of the owner's page by name; the name of a counter ends with `_total`."""
        found = list(text_string_to_metric_families(self.owner))
        named = {f"{one.name}{_SUFFIXES[one.type][0] if one.type == 'counter' else ''}": one for one in found}
        assert len(named) == len(found), "a metric stands twice on the page"
        return named

    @property
    def series(self) -> dict[str, list[Mapping[str, str]]]:
        """Return the labels of all samples, by the name in expressions; a metric without samples has no labels."""
        found: dict[str, list[Mapping[str, str]]] = {}
        for family in self.families.values():
            for suffix in _SUFFIXES[family.type]:
                found[family.name + suffix] = []
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.labels)
        return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Run the real parts in one process, and send a message."""
    with TelegramServer() as telegram:
        return asyncio.run(_pages(telegram, tmp_path_factory.mktemp("watched")))


async def _pages(telegram: TelegramServer, directory: Path) -> Pages:
    user_key, entry = new_key("reader", "user")
    settings = Settings(
        _env_file=None,
        data_dir=directory,
        api_key=SecretStr(KEY),
        api_keys=str(entry),
        telegram_token=SecretStr(telegram.token),
        telegram_api_url=telegram.url,
        bot=BotSettings(metrics_port=0, metrics_token=SecretStr(TOKEN)),
    )
    person, voice = 5_399_000_001, (ROOT / "samples").glob("*.ogg")
    async with assembled(settings, PARTS) as assembly:
        bot = open_http(url=None, app=assembly.apps[BOT_METRICS])
        probes = [(await bot.get(path)).status_code for path in ("/health", "/ready")]
        running = [asyncio.ensure_future(task()) for task in assembly.tasks]
        asked = {"owner": ("web", KEY), "user": ("web", user_key), "bot": (BOT_METRICS, TOKEN)}
        clients = {name: open_http(url=None, app=assembly.apps[app], token=key) for name, (app, key) in asked.items()}
        before = await clients["owner"].get("/metrics")
        telegram.say(person, "/start")
        telegram.speak(person, min(voice).read_bytes())
        clients["stranger"] = bot
        async with asyncio.timeout(100):
            while 'glas_bot_answers_total{outcome="ok"} 1.0' not in (await clients["bot"].get("/metrics")).text:
                assert not any(task.done() for task in running)
                await asyncio.sleep(0.1)
        probes += [(await bot.get(path)).status_code for path in ("/health", "/ready")]
        answers = {name: await client.get("/metrics") for name, client in clients.items()} | {"before": before}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return Pages(answers, probes, person, str(telegram.answers(person)[-1]["text"]))


def test_the_bot_is_ready_once_telegram_has_answered(pages: Pages) -> None:
    """`/health` succeeds before, and requires no key."""
    assert pages.probes == [200, 502, 200, 200]


def test_the_names_keep_one_rule(pages: Pages) -> None:
    """`glas_<subject>_<what>_<unit>`: counters end with `_total`, durations are histograms, units are base units."""
    families = pages.families
    assert {name.split("_")[1] for name in families} == set(_SUBJECTS)
    for name, family in families.items():
        assert re.fullmatch(r"glas(_[a-z]+)+", name), name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|mb|kb|percent)(_|$)", name), name
        assert family.type in _SUFFIXES, name
        assert (family.type == "counter") == name.endswith("_total"), name
        assert family.type != "histogram" or name.endswith("_seconds"), name
        assert family.documentation, name


def test_no_label_tells_who_or_what_was_said(pages: Pages) -> None:
    """Labels have fixed sets of values; the page contains neither a person's id nor a word of the text."""
    used = {label for labels in pages.series.values() for one in labels for label in one}
    assert used <= _LABELS
    words = {word for word in re.findall(r"\w{5,}", pages.text.lower()) if re.search("[а-яё]", word)}
    assert words, "the message was recognised"
    for page in (pages.owner, pages.bot):
        assert str(pages.person) not in page
        assert not any(word in page.lower() for word in words)


def test_what_happened_is_counted(pages: Pages) -> None:
    """One recording and /start are counted: received, answered, recognised, stored."""
    for line in (
        'glas_bot_updates_received_total{kind="recording"} 1.0',
        'glas_bot_updates_received_total{kind="other"} 1.0',
        'glas_bot_answers_total{outcome="ok"} 1.0',
        "glas_bot_answer_seconds_count 1.0",
        'glas_bot_queue_works{queue="voices"} 0.0',
        'glas_recognition_requests_total{outcome="ok"} 1.0',
        "glas_recognition_waiting_seconds_count 1.0",
        "glas_recognition_choice_served 1.0",
        "glas_database_people 1.0",
        "glas_ledger_wrong_balances 0.0",
        "glas_export_interval_seconds 10800.0",
    ):
        assert line in pages.owner.splitlines(), line
    assert re.search(r'glas_bot_telegram_calls_total\{outcome="ok"\} [1-9]', pages.owner)
    assert re.search(r'glas_disk_free_bytes\{directory="data"\} [1-9]', pages.owner)


def test_only_the_owner_sees_the_figures_of_people(pages: Pages) -> None:
    """A key without administration shows metrics of recognition only; the bot's port requires its token."""
    assert "glas_recognition_" in pages.user
    assert not re.search(r"glas_(?!recognition_)", pages.user)
    assert pages.refused == 401
    assert set(re.findall(r"# TYPE (\w+)", pages.bot)) == set(re.findall(r"# TYPE (glas_bot_\w+)", pages.owner))


def test_rules_and_dashboards_name_metrics_that_exist(pages: Pages) -> None:
    """An alert with a renamed metric, label or value would never fire."""
    series = pages.series
    for where, expression in expressions():
        names = set(re.findall(r"\bglas_\w+", expression))
        assert names or re.search(r"\b(up|ALERTS)\b", expression), where
        assert names <= set(series), (where, names - set(series))
        for name, selector in re.findall(r"\b(glas_\w+)\{([^}]*)\}", expression):
            for label, value in re.findall(r'(\w+)="([^"]*)"', selector):
                assert any(one.get(label) == value for one in series[name]), (where, name, label, value)
            for label in re.findall(r'(\w+)(?:!=|=~|!~)"', selector):
                assert any(label in one for one in series[name]), (where, name, label)
        for labels in re.findall(r"\bby \(([\w, ]+)\)", expression):
            assert set(labels.split(", ")) <= {*_LABELS, "instance"}, where  # Prometheus itself adds `instance`


def test_the_manual_names_metrics_that_exist(pages: Pages) -> None:
    text = DOCS.split("## Monitoring")[1]
    named = set(re.findall(r"\bglas_(?:" + "|".join(_SUBJECTS) + r")_\w+", text))
    assert named
    assert named <= set(pages.series) | set(pages.families), named


def test_each_alert_has_its_cases_and_its_paragraph() -> None:
    """rules_test.yml has a case in which the alert fires and one in which it does not; operations.md explains it."""
    alerts = named_alerts()
    cases = [case for test in read("rules_test.yml")["tests"] for case in test["alert_rule_test"]]
    assert len(set(alerts)) == len(alerts)
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == set(alerts)
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == set(alerts)
    assert re.findall(r"(?m)^\| `([A-Z]\w+)` \|", DOCS) == alerts


@with_promtool
def test_promtool_runs_the_cases() -> None:
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    promtool("check", "rules", "rules.yml")
    promtool("test", "rules", "rules_test.yml")


@with_promtool
def test_each_alert_fires_in_a_real_run_with_its_fault_and_no_other(pages: Pages, tmp_path: Path) -> None:
    """Without a fault, none fires."""
    cases = read("rules_test.yml")
    cases["rule_files"] = [str(MONITORING / "rules.yml")]
    cases["tests"] = list(amid_a_real_run(cases["tests"], named_alerts(), pages.before, pages.owner))
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    promtool("test", "rules", str(tmp_path / "cases.yml"))


def test_dashboards_are_whole() -> None:
    """Each dashboard has the name of its file, uses the provisioned data source, and describes its panels."""
    (source,) = read("grafana/datasources/prometheus.yml")["datasources"]
    titles = list[str]()
    for path in boards():
        board = json.loads(path.read_text(encoding="utf-8"))
        assert board["uid"] == path.stem
        titles.append(board["title"])
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in board["panels"]:
            assert panel["datasource"]["uid"] == source["uid"]
            assert panel["targets"]
            assert panel["title"]
            assert panel["description"]
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert titles == ["Glas: bot", "Glas: data", "Glas: overview", "Glas: recognition"]


def test_prometheus_asks_the_services_that_compose_starts(variables_of_env: dict[str, str]) -> None:
    """Each part is requested at its port, with its token."""
    services = composition(variables_of_env)["services"]
    (script,) = services["prometheus"]["command"]
    given = services["prometheus"]["environment"]
    ports = {"web": "GLAS_PORT", "tg_bot": "GLAS_BOT__METRICS_PORT"}
    keys = {"web": "GLAS_API_KEY", "tg_bot": "GLAS_BOT__METRICS_TOKEN"}
    jobs = read("prometheus.yml")["scrape_configs"]
    assert {job["job_name"] for job in jobs} == set(PARTS)
    for job in jobs:
        name, told = job["job_name"], services[job["job_name"]]["environment"]
        port = told[ports.get(name, f"GLAS_{name.upper()}__PORT")]
        assert job["static_configs"] == [{"targets": [f"{name}:{port}"]}]
        assert set(services["prometheus"]["networks"]) & set(services[name]["networks"])
        (variable,) = re.findall(rf'"\$(\w+)" > {re.escape(job["authorization"]["credentials_file"])}\b', script)
        assert given[variable] == told[keys.get(name, f"GLAS_{name.upper()}_TOKEN")]


def test_the_token_files_are_written_for_their_owner_only(tmp_path: Path, variables_of_env: dict[str, str]) -> None:
    """The command of compose.yaml runs with `echo` in the place of Prometheus."""
    service = composition(variables_of_env)["services"]["prometheus"]
    (script,) = service["command"]
    moved = script.replace("/run/tokens", str(tmp_path)).replace("exec prometheus", "env; echo")
    environment = {"PATH": "/usr/bin:/bin"} | service["environment"]
    done = subprocess.run([*service["entrypoint"], moved], env=environment, capture_output=True, text=True, check=True)
    assert "--config.file=/etc/prometheus/prometheus.yml" in done.stdout
    assert not any(value in done.stdout for value in service["environment"].values())
    assert {path.name for path in tmp_path.iterdir()} == set(PARTS)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text(encoding="utf-8") == service["environment"][path.name.upper()]


def test_the_bot_opens_its_port_only_with_a_token() -> None:
    """Without the setting there is no port; in one process with the page, the page has the metrics."""
    off, on = Settings(_env_file=None), BotSettings(metrics_port=0, metrics_token=SecretStr(TOKEN))
    assert listeners(off, ["tg_bot"]) == []
    assert [door.part for door in listeners(off.model_copy(update={"bot": on}), ["tg_bot"])] == [BOT_METRICS]
    assert [door.part for door in listeners(off.model_copy(update={"bot": on}), PARTS)] == ["web"]
    with pytest.raises(ConfigurationError, match="GLAS_BOT__METRICS_TOKEN"):
        listeners(off.model_copy(update={"bot": BotSettings(metrics_port=0)}), ["tg_bot"])
