"""A command in an image without the packages of a part: the error names the setting that helps."""

import subprocess
import sys
from pathlib import Path

from glas.settings import Settings

_ASK = """
import asyncio, sys
sys.modules["sqlalchemy"] = None  # as if it were not installed
from glas.domain.errors import ConfigurationError
from glas.launch.assembly import open_db_assist
from glas.settings import Settings

async def ask():
    async with open_db_assist(Settings(_env_file=None, data_dir=sys.argv[1])):
        pass

try:
    asyncio.run(ask())
except ConfigurationError as error:
    print(error)
"""


def test_the_setting_that_helps_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the package sqlalchemy is not installed" in done.stdout
    assert "GLAS_DB_ASSIST_URL" in done.stdout
    assert "db_assist_url" in Settings.model_fields
