"""One address served by several processes, and one server that several told to stop: nobody is left waiting."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bus import Bus, Caller, Settings
from bus.models import Message
from bus.remote import connect_remote
from tests.mcp_server.processes import ROOT, environment

from .conftest import minted

pytestmark = pytest.mark.anyio
SOON = 90.0
"""Several interpreters start here at once, on a machine that may be busy."""
LONG = timedelta(seconds=60)
UNLIMITED = {"BACKCHANNEL_RATE_LIMIT": "0"}


@asynccontextmanager
async def serving(home: Path, workers: int, **more: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """`backchannel serve` in a process of its own, and its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", "serve", "--port", "0", "--workers", str(workers),
        env=environment(home, **UNLIMITED, **more), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            found = re.search(r"serves (http://\S+)", (await process.stdout.readline()).decode())
        assert found
        yield process, found[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[tuple[Bus, Caller]]:
    async with connect_remote(Settings(base_url=url, retry_seconds=10)) as bus:
        yield bus, await bus.credentials.verify(await minted(url, "ann"))


async def workers_of(parent: int, count: int) -> list[int]:
    """The processes that serve, once there are so many."""
    async with asyncio.timeout(SOON):
        while True:
            found = spawned_by(parent)
            if len(found) == count:
                return found
            await asyncio.sleep(0.05)


def spawned_by(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def until_waiting(bus: Bus, caller: Caller, channel: str, count: int) -> None:
    """Until so many actors wait on the channel, as a task that is posted tells; the task is taken back."""
    async with asyncio.timeout(SOON):
        while True:
            posted = await bus.tasks.post(caller, channel, "?", delay=LONG)
            await bus.tasks.cancel(caller, posted.message.id)
            if posted.workers is not None and posted.workers.waiting >= count:
                return
            await asyncio.sleep(0.1)


async def test_several_processes_are_one_server(home: Path) -> None:
    """On the embedded store: each request may meet another process, and a wait in one wakes by what another does. One
    that is killed under load costs no call, and is replaced; SIGTERM ends them all with 0."""
    async with serving(home, 2) as (process, url), client(url) as (bus, ann):
        first = await workers_of(process.pid, 2)
        results: list[asyncio.Task[Message]] = []
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                message = (await bus.tasks.post(ann, "writers", f"do {number}")).message
                results.append(group.create_task(bus.tasks.await_result(ann, message.id, wait=LONG)))
            os.kill(first[0], signal.SIGKILL)
            for _ in results:
                claim = await bus.tasks.claim(ann, "writers", wait=LONG)
                assert claim is not None
                await bus.tasks.ack(ann, claim.id, claim_token=claim.claim_token, result=claim.content)
        assert {result.result().state for result in results} == {"done"}
        second = await workers_of(process.pid, 2)
        assert first[0] not in second
        assert first[1] in second
        process.terminate()
        async with asyncio.timeout(SOON):
            assert await process.wait() == 0


async def test_workers_do_not_outlive_a_parent_that_is_killed(home: Path) -> None:
    """Nobody would replace or stop them: they end by themselves, as if told to."""
    async with serving(home, 2) as (process, _):
        found = await workers_of(process.pid, 2)
        process.kill()
        await process.wait()
        async with asyncio.timeout(SOON):
            while any(is_running(pid) for pid in found):  # noqa: ASYNC110  # another's child tells no event
                await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_store_of_one_process_takes_one_worker(home: Path) -> None:
    """memory:// with several workers would be several buses: refused, and named."""
    ended = subprocess.run(
        [sys.executable, "-m", "api.cli", "serve", "--port", "0", "--workers", "2"],
        env=environment(home, BACKCHANNEL_REDIS_URL="memory://"), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "memory://" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_two_hundred_open_waits_are_answered_before_the_end(home: Path) -> None:
    """SIGTERM, and a second one, with 200 waits open and posts in flight: every wait gets the answer of a wait that is over,
    every post that was answered is there, and the process ends with 0 within 5 s."""
    async with serving(home, 1) as (process, url), client(url) as (bus, ann), many(url, ann) as http:
        await bus.tasks.post(ann, "writers", "x", delay=LONG)
        kept: list[str] = []
        async with asyncio.TaskGroup() as group:
            waits = [{"channel": "writers", "actor": f"w{number}", "wait": 60} for number in range(200)]
            waiting = [group.create_task(http.post("/v1/tasks/claim", json=wait)) for wait in waits]
            await until_waiting(bus, ann, "writers", 200)
            posting = group.create_task(post_on(url, ann, kept))
            async with asyncio.timeout(SOON):
                while len(kept) < 5:  # noqa: ASYNC110  # a list tells no event
                    await asyncio.sleep(0.01)
            begun = time.monotonic()
            for _ in range(2):
                process.terminate()
            async with asyncio.timeout(SOON):
                assert await process.wait() == 0
            took = time.monotonic() - begun
            posting.cancel()
        answers = [claim.result() for claim in waiting]
        assert [(answer.status_code, answer.json()["claimed"]) for answer in answers] == [(200, None)] * 200
        print(f"200 waits answered and the process gone after {took:.2f} s")
        assert took < 5
    async with serving(home, 1) as (_, url), connect_remote(Settings(base_url=url)) as bus:
        assert (await bus.channels.counts(ann, "load")).waiting >= len(kept)


def many(url: str, ann: Caller) -> httpx.AsyncClient:
    """A client of any number of connections."""
    anyhow = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, limits=anyhow, timeout=SOON, headers={"X-API-Key": ann.api_key or ""})


async def post_on(url: str, ann: Caller, kept: list[str]) -> None:
    """Post until told to stop; those that were answered are kept."""
    async with connect_remote(Settings(base_url=url, retry_seconds=60)) as bus:
        while True:
            kept.append((await bus.tasks.post(ann, "load", "x")).message.id)
