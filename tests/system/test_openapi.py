"""The OpenAPI document against the running server: schemathesis makes requests out of it and compares the answers."""

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

FUZZ = Path(__file__).parents[1] / "fuzz"
TOKEN = "a-token-for-tests-that-is-long-enough"
CASES = int(os.environ.get("FUZZ_CASES", "140"))
_N_OPERATIONS = 14
# Of all the models that the requests name none is really fetched.
_NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://127.0.0.1:9"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_server_is_what_its_document_says(
    start_glas: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    """No answer is a fault, ignores the key, or has a status, type or shape that the document does not tell."""
    with start_glas("nn_service", GLAS_NN_SERVICE_TOKEN=TOKEN, **_NOWHERE) as server:
        code, told = _schemathesis(server.url, tmp_path)
        health = httpx.get(f"{server.url}/health", trust_env=False).json()
    n_cases = int((re.findall(r"(\d+) generated", told) or ["0"])[0])
    assert code == 0, told[-20_000:]
    assert n_cases >= CASES, told
    assert health["in_flight"] == 0


def _schemathesis(url: str, directory: Path) -> tuple[int, str]:
    # Coverage cases (about 40 for each operation) and stateful ones come on top.
    most = max(10, CASES // _N_OPERATIONS)
    finished = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(FUZZ / "schemathesis.toml")),
            *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}", "--max-examples", str(most)),
        ],
        cwd=directory,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(FUZZ)},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr
