"""Agents whose clients cut their calls in mid-wait, again and again, while work comes at exactly those moments."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .hasty import Cut, Gone, Hasty, Piped, library, piped

pytestmark = pytest.mark.anyio

CHANNEL, TASKS, WAIT = "writers", 200, 30.0


@dataclass
class Board:
    """What everybody saw: which tasks were posted, who holds which, what came of each."""

    random: random.Random
    moments: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    """Something to post now: put there around the moment at which a client cuts a wait."""
    posted: list[str] = field(default_factory=list)
    unread: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    holders: dict[str, str] = field(default_factory=dict)
    finished: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    cuts: Counter[str] = field(default_factory=Counter[str])
    lives: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    """One for each time that the worker which is killed begins to work."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for_task(self, agent: Hasty, longest: float, **arguments: Any) -> dict[str, Any]:
        """A claim, and a post that is due around the moment at which the client cuts it. Often it asks for a wait
        that is cut unless a task comes in time."""
        limit, wait = self.random.uniform(0.03, 0.2), self.random.choice([0.02, longest, longest])
        due = asyncio.get_running_loop().call_later(limit + self.random.uniform(-0.012, 0.006), self.moments.put_nowait, None)
        try:
            answer = await agent.call("claim_task", limit, channel=CHANNEL, wait_seconds=wait, **arguments)
        except Cut:
            self.cuts["claim_task"] += 1
            raise
        if answer["status"] == "claimed":
            due.cancel()
        return answer

    def took(self, worker: str, message_id: str) -> None:
        assert message_id not in self.finished, f"{message_id} was handed out after its end"
        holder = self.holders.setdefault(message_id, worker)
        assert holder == worker, f"{message_id} was given to {worker} while {holder} holds it"

    def read(self, message_id: str, result: str) -> None:
        assert self.results.setdefault(message_id, result) == result
        if len(self.results) == TASKS:
            self.over.set()


async def post(agent: Hasty, board: Board) -> None:
    """Every task once, though some of the posts are cut and sent again under the same idempotency key."""
    for number in range(TASKS):
        if number in (0, TASKS // 2):
            await board.lives.get()
        await board.moments.get()
        limit = 0.005 if number % 10 == 0 else WAIT
        while True:
            try:
                posted = await agent.call(
                    "post_task", limit, channel=CHANNEL, content=f"do {number}", idempotency_key=f"k{number}"
                )
            except Cut:
                limit = WAIT
                continue
            break
        board.posted.append(posted["message_id"])
        board.unread.put_nowait(posted["message_id"])


async def collect(agent: Hasty, board: Board) -> None:
    """Read results, one after the other, waiting for each as often as it takes."""
    while True:
        message_id = await board.unread.get()
        while message_id not in board.results:
            limit = board.random.uniform(0.003, 0.05)
            try:
                answer = await agent.call("await_result", limit, message_id=message_id, timeout_seconds=WAIT)
            except Cut:
                board.cuts["await_result"] += 1
                continue
            if answer["status"] == "done":
                board.read(message_id, str(answer["result"]).split()[1])


async def work(name: str, agent: Hasty, board: Board, *, longest: float, lease: float | None = None) -> None:
    """Claim and finish, for ever. What its session took in a call that was cut the next claim tells."""
    more = {"lease_seconds": lease} if lease else {}
    while True:
        try:
            answer = await board.wait_for_task(agent, longest, **more)
        except Cut:
            continue
        task = answer.get("task")
        held = [*answer.get("still_held", []), *([task["message_id"]] if isinstance(task, dict) else [])]
        for message_id in held:
            board.took(name, message_id)
        for message_id in held:
            await finish(name, agent, board, message_id)


async def finish(name: str, agent: Hasty, board: Board, message_id: str) -> None:
    """Ack until it is answered: a repeated ack changes nothing."""
    limit = board.random.choice([0.005, WAIT])
    while True:
        try:
            await agent.call("ack_task", limit, message_id=message_id, result=name)
        except Cut:
            limit = WAIT
            continue
        break
    board.finished[message_id] = name
    del board.holders[message_id]


class Doomed:
    """A session whose server is killed within its n-th wait for a task."""

    def __init__(self, pipe: Piped, board: Board, waits: int) -> None:
        self._pipe = pipe
        self._board = board
        self._waits = waits

    async def call(self, tool: str, limit: float = WAIT, /, **arguments: Any) -> dict[str, Any]:
        self._waits -= tool == "claim_task"
        if not self._waits:
            delay = self._board.random.uniform(0, 0.05)
            asyncio.get_running_loop().call_later(delay, self._kill)
            self._board.moments.put_nowait(None)
            limit = WAIT
        return await self._pipe.call(tool, limit, **arguments)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # all is done meanwhile
            self._pipe.server.process.kill()


async def work_and_die(name: str, home: Path, board: Board) -> None:
    """Killed in mid-wait, and started again under the same name."""
    for life in range(2):
        async with piped(home, polite=False, BACKCHANNEL_AGENT_LABEL=name) as pipe:
            board.lives.put_nowait(None)
            try:
                await work(name, Doomed(pipe, board, 5) if life == 0 else pipe, board, longest=0.1, lease=1)
            except Gone:
                for message_id in [held for held, holder in board.holders.items() if holder == name]:
                    del board.holders[message_id]


@asynccontextmanager
async def company(home: Path) -> AsyncGenerator[tuple[Hasty, dict[str, Hasty]]]:
    """A poster, and workers, each with a server process of its own."""
    async with AsyncExitStack() as stack:
        join = stack.enter_async_context
        ann = await join(piped(home, BACKCHANNEL_AGENT_LABEL="ann"))
        bob = await join(library(home, "auto", BACKCHANNEL_AGENT_LABEL="bob"))
        cam = await join(library(home, "legacy", BACKCHANNEL_AGENT_LABEL="cam"))
        dee = await join(piped(home, polite=False, BACKCHANNEL_AGENT_LABEL="dee"))
        yield ann, {"bob": bob, "cam": cam, "dee": dee}


async def test_calls_cut_in_mid_wait_lose_nothing_and_double_nothing(home: Path) -> None:
    """Two hundred tasks, posted when waits are cut: each is finished once, is never with two live holders, is read."""
    board = Board(random.Random(1))
    began = time.monotonic()
    async with company(home) as (ann, workers), asyncio.timeout(60):
        await ann.call("post_task", channel=CHANNEL, content="to be done first")
        first = await workers["bob"].call("claim_task", channel=CHANNEL)
        await workers["bob"].call("ack_task", message_id=first["task"]["message_id"], result="x")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(post(ann, board))]
            tasks += [group.create_task(collect(ann, board)) for _ in range(4)]
            tasks += [
                group.create_task(work(name, agent, board, longest=0.1 if name == "dee" else WAIT))
                for name, agent in workers.items()
            ]
            tasks.append(group.create_task(work_and_die("fay", home, board)))
            await board.over.wait()
            for task in tasks:
                task.cancel()
    print(f"{TASKS} tasks, {dict(board.cuts)} cut, {time.monotonic() - began:.1f} s")
    assert len(set(board.posted)) == TASKS
    assert set(board.results) == set(board.posted)
    assert all(board.results[message_id] == name for message_id, name in board.finished.items())
    assert min(board.cuts["claim_task"], board.cuts["await_result"]) > TASKS / 10


async def tell(agent: Hasty, board: Board, count: int) -> None:
    for number in range(count):
        await board.moments.get()
        board.posted.append((await agent.call("broadcast", channel="news", content=f"{number}"))["message_id"])


async def read(agent: Hasty, board: Board, count: int, **place: str) -> list[str]:
    """Every message of the channel, by calls of which most are cut. `place`: with an actor the bus keeps it."""
    found: list[str] = []
    since: dict[str, str] = {"since": "0"}
    while len(found) < count:
        limit, wait = board.random.uniform(0.02, 0.1), board.random.choice([0.01, WAIT, WAIT])
        due = asyncio.get_running_loop().call_later(limit + board.random.uniform(-0.012, 0.006), board.moments.put_nowait, None)
        try:
            page = await agent.call("subscribe", limit, channel="news", wait_seconds=wait, limit=3, **since, **place)
        except Cut:
            board.cuts["subscribe"] += 1
            continue
        if page["messages"]:
            due.cancel()
        found += [message["message_id"] for message in page["messages"]]
        since = {"since": page["next_cursor"]}
    return found


async def test_readers_who_give_up_in_mid_wait_miss_no_news(home: Path) -> None:
    """Each reads all of it, once and in order, whichever of its calls were cut."""
    count = 40
    board = Board(random.Random(2))
    async with (
        piped(home, BACKCHANNEL_AGENT_LABEL="ann") as ann,
        library(home, "auto", BACKCHANNEL_AGENT_LABEL="bob") as bob,
        asyncio.timeout(60),
    ):
        await ann.call("broadcast", channel="news", content="first")
        first = await ann.call("subscribe", channel="news", since="0")
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell(ann, board, count))
            readers = [
                group.create_task(read(bob, board, count + 1)),
                group.create_task(read(ann, board, count + 1, actor="cam")),
            ]
        telling.result()
    expected = [first["messages"][0]["message_id"], *board.posted]
    assert [reader.result() for reader in readers] == [expected, expected]
    assert board.cuts["subscribe"] > count / 8, board.cuts
