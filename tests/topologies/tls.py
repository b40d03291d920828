"""Debian's redis-server behind TLS, with certificates made for the test; the bundled Valkey is built without it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import redis
import trustme
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.fleets import until
from tests.servers import START_SECONDS, free_port

REDIS_SERVER = shutil.which("redis-server")
HOST = "localhost"
"""What the certificates are for; 127.0.0.1 is another name."""


def speaks_tls() -> bool:
    """Whether the machine's redis-server can."""
    if REDIS_SERVER is None:
        return False
    command = [REDIS_SERVER, "--port", "0", "--tls-port", "x"]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return "Bad directive" not in tried.stdout + tried.stderr


@dataclass(frozen=True)
class Papers:
    """PEM files: the authority's certificate, and those of server and client that it signed."""

    ca: Path
    server: Path
    client: Path

    @property
    def query(self) -> str:
        """The options of a URL that shows the client's."""
        return urlencode({"ssl_ca_certs": self.ca, "ssl_certfile": self.client, "ssl_keyfile": self.client})


def papers(folder: Path) -> Papers:
    folder.mkdir()
    authority = trustme.CA()
    found = Papers(folder / "ca.pem", folder / "server.pem", folder / "client.pem")
    authority.cert_pem.write_to_path(str(found.ca))
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(found.server))
    authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(str(found.client))
    return found


class SecureServer:
    def __init__(self, port: int, shown: Papers) -> None:
        self.port = port
        self._shown = shown

    def client(self) -> redis.Redis:
        return redis.Redis(
            HOST, self.port, ssl=True, ssl_ca_certs=str(self._shown.ca), ssl_certfile=str(self._shown.client),
            ssl_keyfile=str(self._shown.client), decode_responses=True, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip


@contextmanager
def secure_server(shown: Papers, *options: str, sentinel: bool = False) -> Generator[SecureServer]:
    """It wants a certificate of its clients, and speaks nothing but TLS."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bct-", dir="/tmp")))
        port = free_port()
        (home / "config").touch()  # a sentinel keeps it up
        command: list[Any] = [
            REDIS_SERVER, home / "config", *(["--sentinel"] if sentinel else []), "--port", "0", "--tls-port", str(port),
            "--bind", "127.0.0.1", "::1", "--tls-cert-file", shown.server, "--tls-key-file", shown.server,
            "--tls-ca-cert-file", shown.ca, "--tls-auth-clients", "yes", "--tls-replication", "yes", "--dir", home,
            *([] if sentinel else ["--save", ""]), "--logfile", home / "log", *options,
        ]  # fmt: skip
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        server = SecureServer(port, shown)
        answering(server.client, process)
        yield server


def answering(client_of: Callable[[], redis.Redis], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with client_of() as client:
                client.ping()
        except (redis.RedisError, ssl.SSLError):
            assert process.poll() is None, "redis-server ended by itself"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)
        else:
            return


@contextmanager
def secure_cluster(shown: Papers) -> Generator[str]:
    """A cluster of one, and its URL."""
    options = ("--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", str(free_port()))
    with secure_server(shown, *options) as only:
        with only.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
            until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")), "the cluster is well")
        yield f"rediss+cluster://{HOST}:{only.port}?{shown.query}"


@contextmanager
def secure_sentinel(shown: Papers) -> Generator[str]:
    """A primary and a sentinel that watches it, called by their names; the sentinel's URL."""
    names = ("--sentinel", "resolve-hostnames", "yes", "--sentinel", "announce-hostnames", "yes")
    with secure_server(shown) as primary, secure_server(shown, *names, sentinel=True) as watcher:
        with watcher.client() as client:
            client.execute_command("SENTINEL", "MONITOR", "main", HOST, primary.port, 1)
        yield f"rediss+sentinel://{HOST}:{watcher.port}/main?{shown.query}"
