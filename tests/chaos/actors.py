"""A process of a chaos run: it posts, works or awaits, over Redis or over HTTP, and writes down what it did."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from bus import Bus, Caller, Claim, Message, Settings, connect
from bus.errors import BusError, Forbidden, MessageNotFound, StoreUnavailable, Unauthorized

from .history import History, Tail

T = TypeVar("T")
Role = Literal["poster", "worker", "awaiter"]
CHANNEL = "chaos"
WAIT = timedelta(seconds=4)
PAUSE_SECONDS = 0.05
AT_ONCE = 6
AWAITED_AT_ONCE = 60
SLOWLY = 10.0
"""Posts per second once there are enough, until the last fault is over."""
ENOUGH, KEY = "enough", "key"
"""Files of a run: the posters may stop once there is the first; the second holds the API key."""


@dataclass(frozen=True)
class Part:
    """What a process is to do. Poster and awaiter number `share` of `shares` take every `shares`-th task.

    `tasks` at least are posted by each poster, `per_second` of them.
    """

    role: Role
    name: str
    folder: str
    redis_url: str | None
    base_url: str | None
    seed: int
    tasks: int = 0
    per_second: float = 0
    share: int = 0
    shares: int = 1

    def text(self) -> str:
        return json.dumps(asdict(self))


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


class Desk:
    """Where an actor makes its calls: each is written down before and after."""

    def __init__(self, part: Part, bus: Bus, history: History) -> None:
        self.part = part
        self.bus = bus
        self.history = history
        self.folder = Path(part.folder)
        self._callers: dict[str, Caller] = {}

    async def caller(self) -> Caller:
        """By the API key of the run, which is another one after the store was emptied."""
        api_key = (self.folder / KEY).read_text()
        if api_key not in self._callers:
            self._callers[api_key] = await self.bus.credentials.verify(api_key)
        return self._callers[api_key]

    async def call(
        self, op: str, do: Callable[[Caller], Awaitable[T]], tell: Callable[[T], dict[str, Any]], **facts: Any
    ) -> T | BusError:
        """The call's value, or what it was refused with."""
        number = self.history.begin(op, **facts)
        try:
            found = await do(await self.caller())
        except StoreUnavailable as why:
            at = "refused" if why.nothing_done else "unknown"
            self.history.end(number, op, at, code=why.code, why=why.message[:160], **facts)
            await asyncio.sleep(PAUSE_SECONDS)
            return why
        except BusError as why:
            self.history.end(number, op, "refused", code=why.code, why=why.message[:160], **facts)
            if isinstance(why, Unauthorized):
                await asyncio.sleep(PAUSE_SECONDS)
            return why
        self.history.end(number, op, "ok", **facts, **tell(found))
        return found


async def post_all(desk: Desk) -> None:
    """Post one task after the other under an idempotency key of its own, each until it is answered."""
    part = desk.part
    begun, answered = set[int](), set[int]()
    for event in Tail(desk.folder, "poster-*.jsonl").new():  # of the process before this one
        if event.op == "post" and event.facts["number"] % part.shares == part.share:
            (answered if event.at == "ok" else begun).add(event.facts["number"])
    left = sorted(begun - answered)
    number = max(begun | answered, default=part.share - part.shares) + part.shares
    loop = asyncio.get_running_loop()
    next_at = loop.time()
    async with asyncio.TaskGroup() as group:
        free = asyncio.Semaphore(AT_ONCE)
        while left or number < part.tasks * part.shares or not (desk.folder / ENOUGH).exists():
            if left:
                mine = left.pop()
            else:
                mine, number = number, number + part.shares
            await free.acquire()
            group.create_task(post(desk, mine)).add_done_callback(lambda _: free.release())
            pace = part.per_second if number < part.tasks * part.shares else SLOWLY
            next_at = max(next_at + 1 / pace, loop.time() - 0.2)  # after a pause there is some catching up
            await asyncio.sleep(max(next_at - loop.time(), 0))


async def post(desk: Desk, number: int) -> None:
    def told(posted: Any) -> dict[str, Any]:
        return {"id": posted.message.id, "posted_at": ms(posted.message.posted_at), "replayed": posted.replayed}

    async def send(caller: Caller) -> Any:
        return await desk.bus.tasks.post(caller, CHANNEL, str(number), idempotency_key=f"chaos-{number}")

    while True:
        if not isinstance(await desk.call("post", send, told, number=number), BusError):
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def work(desk: Desk, actor: str, dice: random.Random) -> None:
    """Claim and finish for ever, now and then by a detour."""

    def told(claim: Claim | None) -> dict[str, Any]:
        if claim is None:
            return {"id": None}
        hold = claim.message.hold
        assert hold is not None
        return {
            "id": claim.id, "number": int(claim.content), "delivery": claim.delivery,
            "claimed_at": ms(hold.claimed_at), "lease_until": ms(claim.lease_expires_at),
        }  # fmt: skip

    while True:
        claim = await desk.call("claim", lambda c: desk.bus.tasks.claim(c, CHANNEL, actor=actor, wait=WAIT), told, actor=actor)
        if isinstance(claim, BusError):
            await asyncio.sleep(PAUSE_SECONDS)
        elif claim is not None:
            await finish(desk, actor, claim, dice)


async def finish(desk: Desk, actor: str, claim: Claim, dice: random.Random) -> None:
    tasks, held = desk.bus.tasks, {"id": claim.id, "delivery": claim.delivery, "actor": actor}
    token = {"actor": actor, "claim_token": claim.claim_token}
    chance = dice.random()
    if chance < 0.1:
        await asyncio.sleep(dice.uniform(0, 0.1))
    if chance < 0.03:
        await desk.call("release", lambda c: tasks.release(c, claim.id, **token), lambda _: {}, **held)
        return
    if chance < 0.04:
        await desk.call("fail", lambda c: tasks.fail(c, claim.id, reason="a die was cast", **token), lambda _: {}, **held)
        return
    if chance < 0.1:
        renewed = lambda found: {"lease_until": ms(found.lease_expires_at)}  # noqa: E731 - as short as the calls around it
        await desk.call("heartbeat", lambda c: tasks.heartbeat(c, claim.id, **token), renewed, **held)
    result = {"actor": actor, "delivery": claim.delivery, "number": int(claim.content)}

    def told(acked: Any) -> dict[str, Any]:
        return {"repeated": acked.repeated, "finished_at": ms(acked.message.outcome.finished_at)}

    while True:
        answer = await desk.call("ack", lambda c: tasks.ack(c, claim.id, result=result, **token), told, **held)
        if not isinstance(answer, StoreUnavailable | Unauthorized):
            return


async def await_all(desk: Desk) -> None:
    """Wait for the outcome of everything that is posted, until there will be no more and all are answered."""
    part = desk.part
    told = {e.facts["id"] for e in Tail(desk.folder, "awaiter-*.jsonl").new() if e.op == "await" and e.facts.get("told")}
    posts = Tail(desk.folder, "poster-*.jsonl")
    over, free = False, asyncio.Semaphore(AWAITED_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        while not over:
            over = (desk.folder / f"{ENOUGH}-posted").exists()  # looked at before the last read
            for event in posts.new():
                mine = event.op == "post" and event.at == "ok" and event.facts["number"] % part.shares == part.share
                if mine and event.facts["id"] not in told:
                    told.add(event.facts["id"])
                    await free.acquire()
                    group.create_task(await_one(desk, event.facts["id"])).add_done_callback(lambda _: free.release())
            await asyncio.sleep(PAUSE_SECONDS)


async def await_one(desk: Desk, message_id: str) -> None:
    def told(message: Message) -> dict[str, Any]:
        return {"told": message.outcome is not None, **outcome_of(message)}

    while True:
        answer = await desk.call("await", lambda c: desk.bus.tasks.await_result(c, message_id, wait=WAIT), told, id=message_id)
        if isinstance(answer, MessageNotFound | Forbidden):  # forbidden: posted by a key that was lost with the rest
            desk.history.note("gone", id=message_id)
            return
        if isinstance(answer, Message) and answer.outcome is not None:
            return


def outcome_of(message: Message) -> dict[str, Any]:
    """How it ended, as the checker compares it."""
    ended = message.outcome
    if ended is None:
        return {"state": str(message.state)}
    return {
        "state": str(ended.state), "actor": ended.actor, "delivery": ended.delivery,
        "result": ended.result, "finished_at": ms(ended.finished_at),
    }  # fmt: skip


@asynccontextmanager
async def desk_of(part: Part) -> AsyncGenerator[Desk]:
    history = History(Path(part.folder), f"{part.name}-{os.getpid()}")
    settings = Settings(redis_url=part.redis_url, base_url=part.base_url)
    async with connect(settings) as bus:
        history.note("starts", role=part.role)
        yield Desk(part, bus, history)


async def play(part: Part) -> None:
    dice = random.Random(part.seed)
    async with desk_of(part) as desk:
        if part.role == "poster":
            await post_all(desk)
        elif part.role == "awaiter":
            await await_all(desk)
        else:
            async with asyncio.TaskGroup() as group:
                for n in range(AT_ONCE):
                    group.create_task(work(desk, f"{part.name}-{os.getpid()}-{n}", random.Random(dice.random())))


if __name__ == "__main__":
    asyncio.run(play(Part(**json.loads(sys.argv[1]))))
