"""Test the services against their OpenAPI documents with requests of schemathesis."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.conftest import Server

ROOT = Path(__file__).parents[2]
FUZZ = ROOT / "tests" / "fuzz"
TOKEN = "a-token-for-tests-that-is-long-enough"
# How many requests the longer form makes for each service.
_CASES = int(os.environ.get("FUZZ_CASES", "0"))
_FEWEST = {"nn_service": 3, "db_assist": 1, "data_loader": 1}  # examples of each operation
# Of all the models that the requests name none is really fetched, and no export reaches db_assist.
_NOWHERE = {
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "PIP_INDEX_URL": "http://127.0.0.1:9",
    "GLAS_DB_ASSIST_URL": "http://127.0.0.1:9",
}
_SETTINGS = {f"GLAS_{part.upper()}_TOKEN": TOKEN for part in _FEWEST} | {
    "GLAS_DB_ASSIST__PORT": "0",
    "GLAS_DATA_LOADER__PORT": "0",
    "GLAS_DATA_LOADER__EXPORT_HOURS": "0",
}


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600 if _CASES else 1800)
@pytest.mark.parametrize("part", _FEWEST)
def test_a_service_is_what_its_document_says(
    part: str, start_glas: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    """No answer is a server error, ignores the key, or differs from the document."""
    key = {"Authorization": f"Bearer {TOKEN}"}
    with (
        start_glas(part, **_SETTINGS, **_NOWHERE) as server,
        httpx.Client(base_url=server.url, headers=key, trust_env=False, timeout=60) as client,
    ):
        paths = client.get("/openapi.json").raise_for_status().json()["paths"]
        n_operations = sum(len(operations) for operations in paths.values())
        n_examples = max(_FEWEST[part], _CASES // n_operations)
        code, told = _schemathesis(server.url, tmp_path, part, n_examples)
        health = client.get("/health").raise_for_status().json()
        checked = client.get("/ledger/check").json() if part == "db_assist" else {"discrepancies": []}
    n_cases = int((re.findall(r"(\d+) generated", told) or ["0"])[0])
    print(f"{part}: {n_cases} requests")  # noqa: T201 - shown by `pytest -s` and `make fuzz`
    assert code == 0, told[-20_000:]
    assert n_cases >= n_operations * n_examples // 2, told
    assert health.get("in_flight", 0) == 0
    assert checked["discrepancies"] == []


def _schemathesis(url: str, directory: Path, part: str, n_examples: int) -> tuple[int, str]:
    # Cases of coverage, about 40 for each operation, and stateful ones come on top.
    configuration = "schemathesis.toml" if part == "nn_service" else "internal.toml"
    phases = [] if part == "nn_service" or _CASES else ["--phases", "fuzzing"]
    finished = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(FUZZ / configuration)),
            *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"),
            *("--max-examples", str(n_examples), *phases),
        ],
        cwd=directory,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr
