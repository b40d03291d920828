"""A real Valkey of a test's own: started on a unix socket or a loopback port, killed, paused, started again with its data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bus.store.binary import server_binary

START_SECONDS = 10.0
PROGRAM = "BACKCHANNEL_TEST_SERVER"


class Server:
    """One server on one directory. Its data is in an append-only file, so that it survives `kill`."""

    def __init__(self, directory: Path, *options: str, tcp: bool = False, sentinel: bool = False) -> None:
        """`sentinel`: a Redis Sentinel instead of a store; over TCP only."""
        self.directory = directory
        self._sentinel = sentinel
        self._home = tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp")  # a test's own path may be too long for a socket
        self.socket = Path(self._home.name) / "s"
        self.port = free_port() if tcp else 0
        self.url = f"redis://127.0.0.1:{self.port}/0" if tcp else f"unix://{self.socket}"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, until: type[Exception] | None = None) -> None:
        """Start it, with more options this once, and wait until it answers PING, or with the error `until`."""
        command = self._sentinel_command() if self._sentinel else self._store_command()
        self._process = subprocess.Popen([*command, *self._options, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except redis.RedisError as error:
                if isinstance(error, until or redis.AuthenticationError):  # it wants a password, so it is up
                    return
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return

    def _store_command(self) -> list[str]:
        return [
            program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory),
            "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--appendonly", "yes", "--appendfsync", "always",
            "--save", "", "--logfile", str(self.directory / "log"),
        ]  # fmt: skip

    def _sentinel_command(self) -> list[str]:
        config = self.directory / "sentinel.conf"  # which it keeps up itself
        config.touch()
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        return [program(), str(config), "--sentinel", *where, "--logfile", str(self.directory / "log")]

    def client(self, **options: Any) -> redis.Redis:
        """redis-py's own blocking client, to look at the server from outside."""
        once = Retry(NoBackoff(), 0)
        if self._sentinel:
            return redis.Redis(port=self.port, decode_responses=True, retry=once, **options)
        return redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=once, **options)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for its end: for good."""
        self._signal(signal.SIGTERM)
        self._home.cleanup()

    def pause(self) -> None:
        """SIGSTOP: it accepts connections (the kernel does) and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(10)
        self._process = None


def program() -> str:
    """The server program: the bundled one, unless the environment names another."""
    return os.environ.get(PROGRAM) or server_binary()


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(directory: Path, *options: str, tcp: bool = False) -> Iterator[Server]:
    """A running server; stopped at the end."""
    running = Server(directory, *options, tcp=tcp)
    try:
        running.start()
        yield running
    finally:
        running.stop()
