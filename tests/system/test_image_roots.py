"""Test the steps of the Dockerfile without Docker (`make images`; root, Linux, debootstrap, the network)."""

import os
from pathlib import Path

import pytest

from tests.conftest import Sample
from tests.system.image_roots import built, megabytes

WORK = os.environ.get("IMAGES_IN")
# Without `backup`, whose programs come from PostgreSQL's own package source, and without CUDA's 3 GB.
IMAGES = ("tg_bot", "nn_service", "db_assist", "migrate", "data_loader", "web", "model", "training")
# An image must not grow unnoticed; in MB (10^6 bytes), without the Debian.
LARGEST_MB = {"tg_bot": 300, "nn_service": 800, "db_assist": 300, "data_loader": 650, "web": 200, "model": 280}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(WORK is None, reason="runs with IMAGES_IN; see `make images`")
def test_every_image_can_be_made_and_its_program_starts(samples: list[Sample]) -> None:
    """Each command of the Dockerfile succeeds; each image's program starts as its user; nn_service recognises."""
    work = Path(str(WORK))
    work.mkdir(parents=True, exist_ok=True)
    told = {"TORCH_INDEX": os.environ["TORCH_INDEX"]} if "TORCH_INDEX" in os.environ else {}
    stages = built(work, set(IMAGES), told)
    base_mb = megabytes(work / "debian")
    for name in IMAGES:
        stage = stages[name]
        assert stage.user == "10001:10001", name
        done = stage.run(*stage.entrypoint, "--version", user=stage.user)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        more_mb = megabytes(stage.root) - base_mb
        print(f"{name}: {more_mb} MB more than its base of {base_mb} MB; {done.stdout.strip()}")  # noqa: T201
        assert more_mb <= LARGEST_MB.get(name, 10_000), name
    heard = stages["nn_service"].run(
        *stages["nn_service"].entrypoint, "transcribe", f"/app/samples/{samples[0].path.name}", user="10001:10001"
    )
    assert heard.stdout.strip() == samples[0].text, heard.stderr
