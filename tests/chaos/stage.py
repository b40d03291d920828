"""What a chaos run plays on: a store of some shape, API replicas, and the processes that post, work and await."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from tests.fleets import Cluster, Watched, cluster, watched
from tests.servers import Server, free_port

from .actors import ENOUGH, KEY, Part
from .history import History
from .proxy import Proxy, proxy

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
READY_SECONDS = 120.0
Shape = Literal["one", "proxied", "sentinel", "cluster"]
LEASE_SECONDS = 2


@dataclass(frozen=True)
class Size:
    """How much a run does: `tasks` at least, `per_second` of them at most."""

    tasks: int
    per_second: float


class Process:
    """A program of this project; started again it is another process of the same name."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, cwd=ROOT, stdout=log, stderr=log)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def ended(self) -> int:
        """Its exit code."""
        assert self._process is not None
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - its end is polled for, so that a thread less is needed
            await asyncio.sleep(0.02)
        return code

    async def kill(self) -> None:
        if self.running:
            self.send(signal.SIGKILL)
            await self.ended()


class FullDisk(Server):
    """A server whose files can be kept from growing while it runs, as on a full disk."""

    def _store_command(self) -> list[str]:
        # A write past the limit is then an error and no signal, as it is on a full disk.
        return ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *super()._store_command()]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def largest_file(self) -> int:
        """Bytes of the file that it appends to."""
        return max(path.stat().st_size for path in self.directory.rglob("*.aof"))


@dataclass
class Stage:
    """`server`: the one store there is, in the shapes of one; `line`: the proxy in front of it."""

    folder: Path
    size: Size
    seed: int
    history: History
    direct_url: str
    seen_url: str
    clock: Path
    server: FullDisk | None = None
    line: Proxy | None = None
    watched: Watched | None = None
    cluster: Cluster | None = None
    balancer: Proxy | None = None
    replicas: list[Process] = field(default_factory=list[Process])
    ports: list[int] = field(default_factory=list[int])
    posters: list[Process] = field(default_factory=list[Process])
    workers: list[Process] = field(default_factory=list[Process])
    awaiters: list[Process] = field(default_factory=list[Process])

    @property
    def actors(self) -> list[Process]:
        return [*self.posters, *self.workers, *self.awaiters]

    @property
    def processes(self) -> list[Process]:
        return [*self.actors, *self.replicas]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
        return kept | {
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "jumping"), str(ROOT)]),
            "CHAOS_CLOCK": str(self.clock),
            "BACKCHANNEL_RATE_LIMIT": "0",
            "BACKCHANNEL_CONFIG_DIR": str(self.folder / "config"),
            "BACKCHANNEL_DEFAULT_LEASE_SECONDS": str(LEASE_SECONDS),
            "BACKCHANNEL_DEFAULT_MAX_DELIVERIES": "1000",
            "BACKCHANNEL_SWEEP_SECONDS": "1",
            **more,
        }

    def add_replica(self) -> None:
        port, name = free_port(), f"replica-{len(self.replicas)}"
        environment = self.environment(BACKCHANNEL_REDIS_URL=self.seen_url, BACKCHANNEL_LOG_LEVEL="warning")
        command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
        self.replicas.append(Process(name, command, environment, self.folder / f"{name}.log"))
        self.ports.append(port)

    def add_actors(self, base_url: str) -> None:
        """Half of them over Redis, half over HTTP."""
        part = Part(
            role="poster", name="", folder=str(self.folder), redis_url=None, base_url=None, seed=self.seed,
            tasks=-(-self.size.tasks // 2), per_second=self.size.per_second / 2, shares=2,
        )  # fmt: skip
        for share in range(2):
            way = {"redis_url": self.seen_url} if share == 0 else {"base_url": base_url}
            for role, processes in (("poster", self.posters), ("worker", self.workers), ("awaiter", self.awaiters)):
                mine = replace(part, role=role, name=f"{role}-{share}", share=share, seed=self.seed + share, **way)
                command = [sys.executable, "-m", "tests.chaos.actors", mine.text()]
                processes.append(Process(mine.name, command, self.environment(), self.folder / f"{mine.name}.log"))

    async def ready(self, replica: int) -> None:
        """Until it answers; a replica that ended is an error."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(2):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[replica])
                    writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    line = await reader.readline()
                    writer.close()
                    if b" 200 " in line:
                        return
            assert self.replicas[replica].running, f"replica {replica} ended; its log says why"
            assert time.monotonic() < deadline, f"replica {replica} was not ready in time"
            await asyncio.sleep(0.05)

    def let_stop(self, what: Literal["posting", "awaiting"]) -> None:
        (self.folder / (ENOUGH if what == "posting" else f"{ENOUGH}-posted")).touch()

    def give_key(self, api_key: str) -> None:
        new = self.folder / f"{KEY}.new"
        new.write_text(api_key)
        new.replace(self.folder / KEY)


@asynccontextmanager
async def stage(folder: Path, shape: Shape, size: Size, seed: int, *, options: Sequence[str] = ()) -> AsyncGenerator[Stage]:
    """Its servers run; replicas and actors are not started yet. All of them end with it."""
    async with AsyncExitStack() as stack:
        found = Stage(folder, size, seed, History(folder, "nemesis"), "", "", folder / "clock")
        stack.callback(found.history.close)
        await _add_store(found, shape, options, stack)
        found.seen_url = found.seen_url or found.direct_url
        for _ in range(2):
            found.add_replica()
        found.balancer = await stack.enter_async_context(proxy(*found.ports))
        found.add_actors(f"http://127.0.0.1:{found.balancer.port}")
        try:
            yield found
        finally:
            for process in found.processes:
                await process.kill()


async def _add_store(found: Stage, shape: Shape, options: Sequence[str], stack: AsyncExitStack) -> None:
    if shape == "sentinel":
        found.watched = await _in_thread(stack, watched())
        found.direct_url = found.watched.url
    elif shape == "cluster":
        found.cluster = await _in_thread(stack, cluster(replicas=True))
        found.direct_url = found.cluster.url
    else:
        (found.folder / "store").mkdir()
        found.server = FullDisk(found.folder / "store", *options, tcp=True)
        stack.callback(found.server.stop)
        await asyncio.to_thread(found.server.start)
        found.direct_url = found.server.url
    if shape == "proxied":
        assert found.server is not None
        found.line = await stack.enter_async_context(proxy(found.server.port))
        found.seen_url = f"redis://127.0.0.1:{found.line.port}/0"


async def _in_thread(stack: AsyncExitStack, fleet: AbstractContextManager[T]) -> T:
    """A fleet takes seconds to agree among itself, and says so to nobody."""
    found = await asyncio.to_thread(fleet.__enter__)
    stack.callback(fleet.__exit__, None, None, None)
    return found
