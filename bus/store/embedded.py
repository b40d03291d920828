"""The embedded store's server: a real Valkey that the first process of a data directory starts and the last one stops.

Two locks say who does what. `server.lock` is inherited by the server, so it is held exactly as long as the server lives,
whoever started it. `users.lock` is shared by every process that uses the server; who can take it alone is the last one.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bus.errors import StoreUnavailable

from .binary import server_binary
from .locks import POLL_SECONDS, open_lock, try_lock, wait_lock
from .notify_mode import NEEDED

log = logging.getLogger(__name__)

START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0
_ASK_SECONDS: Final = 1.0
_LONGEST_SOCKET_PATH: Final = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
_LONGEST_LOG: Final = 1_048_576
_children: list[subprocess.Popen[bytes]] = []  # kept for as long as we live, so that a server that dies is reaped


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """`pid` is None when no server runs there."""

    socket: Path
    pid: int | None


class Embedded:
    """This process's use of one data directory. The methods block; call them in a thread."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.socket = socket_path(self.data_dir)
        self._using: int | None = None
        self._left = False
        self._one_at_a_time = threading.Lock()

    def ensure_running(self) -> None:
        """Join the server, or start it when there is none. Raises StoreUnavailable naming the directory and the reason."""
        try:
            with self._one_at_a_time:
                if self._left:  # a thread that its cancelled caller left behind
                    raise StoreUnavailable("this process has closed the embedded store", retry_after=1)
                self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                if self.socket.parent != self.data_dir:
                    _make_private(self.socket.parent)
                self._join_users()
                self._join_or_start()
        except OSError as error:
            raise StoreUnavailable(
                f"the embedded store cannot use {self.data_dir} ({error.strerror or error});"
                " set BACKCHANNEL_DATA_DIR to a directory that this user can write",
                retry_after=60,
            ) from error

    def leave(self) -> None:
        """This process is done with the server; the last one stops it and waits for its end."""
        self._left = True  # before the lock: it ends a start that is under way in another thread
        with self._one_at_a_time:
            if self._using is None:
                return
            try:
                if try_lock(self._using):
                    _stop(self.data_dir, self.socket)
            finally:
                os.close(self._using)
                self._using = None

    def _join_users(self) -> None:
        if self._using is not None:
            return
        descriptor = open_lock(self.data_dir / "users.lock")
        # Somebody who holds it alone is stopping the server: wait until it is gone, then start it anew.
        if not wait_lock(descriptor, START_SECONDS, shared=True):
            os.close(descriptor)
            raise StoreUnavailable(f"another process is still stopping the server of {self.data_dir}; try again", retry_after=1)
        self._using = descriptor

    def _join_or_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            _reap()
            lock = open_lock(self.data_dir / "server.lock")
            try:
                if try_lock(lock):
                    self._start(lock)
            finally:
                os.close(lock)  # the server has its own copy
            if _accepts(self.socket):
                return
            if self._left or time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"the server of {self.data_dir} does not listen on {self.socket}{_last_words(self.data_dir)};"
                    " stop it (`backchannel stop`) and try again",
                    retry_after=1,
                )
            time.sleep(POLL_SECONDS)

    def _start(self, lock: int) -> None:
        """Start the server, which inherits the lock we hold, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        log_file = self.data_dir / "server.log"
        if log_file.exists() and log_file.stat().st_size > _LONGEST_LOG:
            log_file.replace(self.data_dir / "server.log.1")
        server = subprocess.Popen(  # noqa: S603 - our own server program with our own arguments
            [server_binary(), *_arguments(self.data_dir, self.socket)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.data_dir,
            umask=0o077,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C is for us, not for a server that others may use
        )
        _children.append(server)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.socket):  # it listens before it has read its data, and may yet refuse that
            if server.poll() is not None:
                words = _last_words(self.data_dir)
                raise StoreUnavailable(f"the server of {self.data_dir} ended at once{words}", retry_after=1)
            if self._left or time.monotonic() > deadline:
                return  # it lives and holds the lock: still loading a long file, say
            time.sleep(POLL_SECONDS)
        log.info("started the embedded store's server (pid %d) in %s", server.pid, self.data_dir)


def stop_embedded(data_dir: Path) -> bool:
    """Stop the server of this data directory and wait for its end; False when there was none. Who uses it starts it again."""
    data_dir = data_dir.expanduser().absolute()
    return _stop(data_dir, socket_path(data_dir))


def embedded_status(data_dir: Path) -> EmbeddedStatus:
    """Where the server of this data directory listens, and its process id."""
    path = socket_path(data_dir.expanduser().absolute())
    return EmbeddedStatus(path, _server_pid(path))


def socket_path(data_dir: Path) -> Path:
    """`bus.sock` in the data directory, or in a directory of our own under /tmp when that path is too long for a socket."""
    inside = data_dir / "bus.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH:
        return inside
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    # Not TMPDIR: processes that differ in it must still meet.
    return Path("/tmp") / f"backchannel-{os.getuid()}-{name}" / "bus.sock"  # noqa: S108 - made 0700, its owner is checked


def _arguments(data_dir: Path, path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "notify-keyspace-events": NEEDED,
        "logfile": str(data_dir / "server.log"),
        "pidfile": str(data_dir / "server.pid"),
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _make_private(directory: Path) -> None:
    """A directory in a place where others may write: it must be ours and closed to them, or they could stand in for us."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(errno.EACCES, f"{directory}, where its socket goes, is not a private directory of this user")


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ASK_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _ask(path: Path, command: bytes) -> bytes:
    """The raw reply to an inline command; empty when there is none."""
    reply = b""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_ASK_SECONDS)
        try:
            asking.connect(str(path))
            asking.sendall(command + b"\r\nQUIT\r\n")
            while part := asking.recv(65_536):
                reply += part
        except OSError:
            return b""
    return reply


def _answers(path: Path) -> bool:
    return _ask(path, b"PING").startswith(b"+PONG")


def _server_pid(path: Path) -> int | None:
    """The process id the server reports; it answers INFO while it loads, too."""
    reply = _ask(path, b"INFO server")
    for line in reply.splitlines():
        if line.startswith(b"process_id:"):
            return int(line.partition(b":")[2])
    return None


def _stop(data_dir: Path, path: Path) -> bool:
    pid = _server_pid(path)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    lock = open_lock(data_dir / "server.lock")
    try:
        deadline = time.monotonic() + STOP_SECONDS
        # Somebody who still uses it may have started the next one by now: then the lock is that one's.
        while not wait_lock(lock, 0.1) and _server_pid(path) in (pid, None):
            if time.monotonic() > deadline:
                log.warning("the embedded store's server (pid %d) has not ended %g s after SIGTERM", pid, STOP_SECONDS)
                break
    finally:
        os.close(lock)
        _reap()
    return True


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _last_words(data_dir: Path) -> str:
    try:
        lines = (data_dir / "server.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f" (its last words: {lines[-1][-300:]})" if lines else ""
