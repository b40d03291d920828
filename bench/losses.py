"""What is lost when a server dies, by how it was set: `python -m bench.losses`. Posts as fast as it can, kills, counts.

`kill -9` of the only server, by appendfsync; and a failover to a replica that had fallen behind, with and without WAIT.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from bus import Bus, Settings, connect
from bus.errors import BusError
from bus.models import Caller
from bus.store.binary import server_binary

from .figures import console, median, table

POSTERS = 50
CONTENT = "x" * 200
SOON = 20.0
TIMEOUT = 0.5


class Server:
    """One on a loopback port, killed and started again with its data."""

    def __init__(self, folder: Path, **options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        folder.mkdir()
        given = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "save": "",
            "logfile": str(folder / "log"),
            **options,
        }
        self._command = [server_binary(), *(part for name, value in given.items() for part in (f"--{name}", value))]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Redis:
        return Redis(port=self.port, decode_responses=True)


class Cable:
    """Between a primary and its replica: once cut, nothing of what is sent arrives."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back))
                group.create_task(self._pass_on(there, writer))
        finally:
            writer.close()
            back.close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                if not self.cut:
                    target.write(data)
                    await target.drain()
        target.close()


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while True:
            with suppress(RedisError):
                if check():
                    return
            await asyncio.sleep(0.02)


@contextmanager
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bcloss-", dir="/tmp") as name:
        yield Path(name)


@asynccontextmanager
async def opened(server: Server, **settings: Any) -> AsyncGenerator[tuple[Bus, Caller]]:
    async with connect(Settings(redis_url=f"redis://127.0.0.1:{server.port}/0", base_url=None, **settings)) as bus:
        issued = await bus.credentials.issue("poster")
        yield bus, await bus.credentials.verify(issued.api_key)


async def post_until(bus: Bus, caller: Caller, answered: list[str], stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(BusError):
            answered.append((await bus.tasks.post(caller, "work", CONTENT)).message.id)


@asynccontextmanager
async def posting(bus: Bus, caller: Caller) -> AsyncGenerator[list[str]]:
    """The ids that were answered so far; ends with the last call."""
    answered: list[str] = []
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(POSTERS):
            group.create_task(post_until(bus, caller, answered, stop))
        yield answered
        stop.set()


async def there(server: Server, answered: list[str]) -> int:
    """How many of them the server has."""
    await until(lambda: bool(server.client().ping()))
    with server.client() as client:
        found: Any = client.xrange("bc:{work}:stream")
    kept = {row[0] for row in found}
    return sum(message_id.partition(":")[2] in kept for message_id in answered)


async def killed(appendfsync: str, seconds: float) -> tuple[int, int]:
    """Answered posts, and how many of them are gone after kill -9 and a start."""
    with folder() as home:
        options = {"appendonly": "no"} if appendfsync == "off" else {"appendonly": "yes", "appendfsync": appendfsync}
        server = Server(home / "a", **options)
        try:
            await until(lambda: bool(server.client().ping()))
            async with opened(server) as (bus, caller), posting(bus, caller) as answered:
                await asyncio.sleep(seconds)
                server.kill()
                before = len(answered)
                sample = answered[:before]
            server.start()
            return before, before - await there(server, sample)
        finally:
            server.kill()


async def failed_over(durability: str, behind: float, seconds: float) -> tuple[int, int]:
    """The same for a failover, to a replica that nothing reached in the last `behind` seconds."""
    with folder() as home:
        primary = Server(home / "a", appendonly="yes")
        cable = Cable(primary.port)
        link = await asyncio.start_server(cable.connected, "127.0.0.1", 0)
        replica = Server(home / "b", appendonly="yes", replicaof=f"127.0.0.1 {link.sockets[0].getsockname()[1]}")
        try:
            await until(lambda: replica.client().info("replication")["master_link_status"] == "up")  # pyright: ignore[reportIndexIssue]  # a reply
            settings = {"durability": durability, "durability_timeout": TIMEOUT}
            async with opened(primary, **settings) as (bus, caller), posting(bus, caller) as answered:
                await asyncio.sleep(seconds)
                cable.cut = True
                await asyncio.sleep(behind)
                primary.kill()
                sample = list(answered)
            replica.client().replicaof("NO", "ONE")
            return len(sample), len(sample) - await there(replica, sample)
        finally:
            link.close()
            for server in (primary, replica):
                server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.losses", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run each: shows that it runs")
    quick = parser.parse_args().quick
    runs, seconds = (1, 0.2) if quick else (5, 2.0)
    behind = 0.3 if quick else 2.0
    logging.disable()  # of lost connections, which are the point
    cases: dict[str, Callable[[], Any]] = {
        **{f"kill -9, appendfsync {mode}": (lambda mode=mode: killed(mode, seconds)) for mode in ("always", "everysec", "no")},
        "kill -9, append-only file off": lambda: killed("off", seconds),
        **{
            f"failover, replica cut off for {behind:g} s, {mode}": (lambda mode=mode: failed_over(mode, behind, seconds))
            for mode in ("store", "replicated")
        },
    }
    rows: list[list[str]] = []
    for name, case in cases.items():
        found = [asyncio.run(case()) for _ in range(runs)]
        lost = [gone for _, gone in found]
        rows.append([name, str(runs), f"{median([count for count, _ in found]):.0f}", " ".join(map(str, lost))])
        console.print(f"{name}: {lost}")
    table("answered posts that were gone afterwards", ["what happened", "runs", "answered, median", "lost, each run"], rows)


if __name__ == "__main__":
    main()
