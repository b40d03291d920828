"""Ten sessions of one user, on one API key: each task goes to exactly one of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from bus import Bus

from .conftest import Agent
from .listening import over_http
from .listening import served as served_over_http
from .processes import Served, environment, spoken_to

pytestmark = pytest.mark.anyio
SESSIONS = 10
TASKS = 60
SECONDS = 240.0


@dataclass
class Ledger:
    """Who was given which task, and who has finished it: sessions by number."""

    given: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    finished: dict[str, int] = field(default_factory=dict[str, int])

    def each_went_to_one(self, posted: list[str]) -> None:
        assert Counter(message_id for message_id, _ in self.given) == Counter(posted)
        assert dict(self.given) == self.finished
        assert len(set(self.finished.values())) == SESSIONS


async def call(session: Agent | Served, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer; fails the test for an error."""
    if isinstance(session, Agent):
        return await session.call(tool, **arguments)
    answer = await session.call(tool, **arguments)
    assert not answer.get("isError"), answer
    return answer["structuredContent"]


async def work(session: Agent | Served, number: int, ledger: Ledger, all_hold_one: anyio.Event) -> None:
    """Claim and finish until there is nothing left; the first task is held until every session holds one."""
    while (answer := await call(session, "claim_task", channel="writers", wait_seconds=0))["status"] == "claimed":
        message_id = answer["task"]["message_id"]
        ledger.given.append((message_id, number))
        assert answer["task"]["delivery"] == 1
        assert message_id not in answer.get("still_held", [])
        if len({each for _, each in ledger.given}) == SESSIONS:
            all_hold_one.set()
        await all_hold_one.wait()
        done = await call(session, "ack_task", message_id=message_id, claim_token=answer["claim_token"], result=number)
        assert done["state"] == "done"
        ledger.finished[message_id] = number


async def all_work(sessions: list[Agent] | list[Served]) -> tuple[list[str], Ledger]:
    """Every session works at the same time on what the first of them has posted."""
    ledger, all_hold_one = Ledger(), anyio.Event()
    posted = [(await call(sessions[0], "post_task", channel="writers", content=f"do {n}"))["message_id"] for n in range(TASKS)]
    async with anyio.create_task_group() as group:
        for number, session in enumerate(sessions):
            group.start_soon(work, session, number, ledger, all_hold_one)
    return posted, ledger


async def start(home: Path) -> Process:
    """A server that is not spoken to yet."""
    command = [sys.executable, "-m", "mcp_server"]
    return await anyio.open_process(command, env=environment(home), cwd=home, stderr=subprocess.DEVNULL)


async def test_ten_processes_on_one_key_never_share_a_task(home: Path) -> None:
    """Real stdio servers that find one key and one store, and take sixty tasks between them."""
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            sessions: list[Served] = []
            for count in (1, 3, 3, 3):  # side by side, but no more than start in time on a busy machine
                starting = [await start(home) for _ in range(count)]
                sessions += [await stack.enter_async_context(spoken_to(process)) for process in starting]
            posted, ledger = await all_work(sessions)
            ledger.each_went_to_one(posted)
            outcomes = [await call(sessions[-1], "await_result", message_id=each, timeout_seconds=0) for each in posted]
            assert [outcome["result"] for outcome in outcomes] == [ledger.finished[each] for each in posted]
            assert len({outcome["from"]["key_id"] for outcome in outcomes}) == 1
            assert len({outcome["from"]["label"] for outcome in outcomes}) == SESSIONS


async def test_ten_clients_on_one_key_over_http_never_share_a_task(bus: Bus) -> None:
    """One actor for the bus, and one memory, over two replicas and in both eras: the claim is each client's own all the
    same."""
    api_key = (await bus.credentials.issue("shared")).api_key
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            urls = [await stack.enter_async_context(served_over_http(bus)) for _ in range(2)]
            ways = [(urls[n % 2], ("auto", "legacy")[n // 5]) for n in range(SESSIONS)]
            sessions = [await stack.enter_async_context(over_http(url, api_key, mode)) for url, mode in ways]
            posted, ledger = await all_work(sessions)
            ledger.each_went_to_one(posted)
