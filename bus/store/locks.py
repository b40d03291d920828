"""File locks (flock) between the processes that share a data directory."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.005


def open_lock(path: Path) -> int:
    """A descriptor to lock with; the lock belongs to it and what inherits it. Close it to give the lock up."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if nobody is in the way. Changing a lock that is held gives the held one up even when this fails."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(descriptor: int, seconds: float, *, shared: bool = False) -> bool:
    """Take the lock within so many seconds. Blocks the thread; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
