"""One chaos run: load, faults by a seeded schedule, a drain, and the check of what was written down."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from bus import Bus, Caller, NewChannel, Settings, connect
from bus.errors import MessageNotFound, StoreUnavailable

from .actors import CHANNEL, KEY, outcome_of
from .checker import Report, Window, check
from .faults import Fault
from .history import Event, History, Tail, read
from .stage import LEASE_SECONDS, Size, Stage, stage

WARM_SECONDS = 120.0
DRAIN_SECONDS = 180.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Played:
    """What became of one run."""

    fault: Fault
    report: Report
    strikes: int
    seconds: float
    longest_silence: float
    """Seconds between two tasks that were finished, at the longest."""
    unanswered: list[str]
    """Calls over HTTP that were not answered, each with its reason."""


async def play(fault: Fault, folder: Path, size: Size, seed: int, *, times: int | None = None) -> Played:
    """Raises AssertionError when something does not come to its end; what the check finds is in the report."""
    begun = time.monotonic()
    dice = random.Random(seed)
    strikes = times or fault.times
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with stage(folder, fault.shape, size, seed, options=fault.options) as scene:
        await _prepare(scene)
        for replica in scene.replicas:
            replica.start()
        await asyncio.gather(*(scene.ready(n) for n in range(len(scene.replicas))))
        for actor in scene.actors:
            actor.start()
        tail = Tail(folder, "worker-*.jsonl")
        await _until_all_work(scene, tail)
        for _ in range(strikes):
            await asyncio.sleep(dice.uniform(0.3, 1.2))
            number = scene.history.begin("fault", name=fault.name)
            await fault.strike(scene, dice)
            scene.history.end(number, "fault", "ok", name=fault.name)
        await asyncio.sleep(1)
        scene.let_stop("posting")
        await _ended(scene, "posters")
        scene.let_stop("awaiting")
        await _ended(scene, "awaiters")
        async with _auditor(scene) as (bus, caller):
            await _drained(bus, caller)
            for worker in scene.workers:
                await worker.kill()
            await _write_down(scene, bus, caller)
    events = read(folder)
    return Played(
        fault, check(events, windows(fault, events)), strikes, time.monotonic() - begun, _silence(events), _unanswered(events)
    )


def windows(fault: Fault, events: list[Event]) -> list[Window]:
    """When the fault may have undone what was acknowledged."""
    if fault.undoes_seconds is None:
        return []
    begun = [event.wall for event in events if event.op == "fault" and event.at == "begin"]
    ended = [event.wall for event in events if event.op == "fault" and event.at == "ok"]
    return [Window(start - fault.undoes_seconds, end + fault.settles_seconds) for start, end in zip(begun, ended, strict=True)]


async def _prepare(scene: Stage) -> None:
    async with connect(Settings(redis_url=scene.direct_url)) as bus:
        api_key = (await bus.credentials.issue("chaos")).api_key
        caller = await bus.credentials.verify(api_key)
        lease = timedelta(seconds=LEASE_SECONDS)
        await bus.channels.create(caller, NewChannel(CHANNEL, lease=lease, max_deliveries=1000))
    scene.give_key(api_key)


async def _until_all_work(scene: Stage, tail: Tail) -> None:
    """Until every worker has finished something: only then is there anything to disturb."""
    busy: set[str] = set()
    async with asyncio.timeout(WARM_SECONDS):
        while len(busy) < len(scene.workers):
            busy |= {event.process for event in tail.new() if event.op == "ack" and event.at == "ok"}
            await asyncio.sleep(_LOOK_SECONDS)


async def _ended(scene: Stage, who: str) -> None:
    processes = scene.posters if who == "posters" else scene.awaiters
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            codes = await asyncio.gather(*(process.ended() for process in processes))
    except TimeoutError:
        raise AssertionError(f"the {who} did not come to an end within {DRAIN_SECONDS:g} s; see {scene.folder}") from None
    assert not any(codes), f"the {who} ended with {codes}; their logs in {scene.folder} say why"


@asynccontextmanager
async def _auditor(scene: Stage) -> AsyncGenerator[tuple[Bus, Caller]]:
    async with connect(Settings(redis_url=scene.direct_url)) as bus:
        yield bus, await bus.credentials.verify((scene.folder / KEY).read_text())


async def _drained(bus: Bus, caller: Caller) -> None:
    """Until nothing waits for anything; what is left then is for the check to say."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        try:
            counts = await bus.channels.counts(caller, CHANNEL)
        except StoreUnavailable:
            continue
        if not counts.waiting + counts.delayed + counts.in_flight:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _write_down(scene: Stage, bus: Bus, caller: Caller) -> None:
    """What there is at the end of all that was ever seen."""
    history = History(scene.folder, "auditor")
    seen = {event.facts["id"] for event in Tail(scene.folder).new() if event.facts.get("id")}

    async def one(message_id: str) -> None:
        try:
            found = outcome_of(await bus.messages.get(caller, message_id))
        except MessageNotFound:
            found = {"state": "missing"}
        history.note("final", id=message_id, **found)

    ids = sorted(seen)
    for start in range(0, len(ids), 100):
        await asyncio.gather(*map(one, ids[start : start + 100]))
    counts = await bus.channels.counts(caller, CHANNEL)
    left = {"waiting": counts.waiting, "delayed": counts.delayed, "in_flight": counts.in_flight, "dead": counts.dead}
    history.note("counts", **left)
    history.close()


def _silence(events: list[Event]) -> float:
    done = [event.mono for event in events if event.op == "ack" and event.at == "ok"]
    return max((after - before for before, after in pairwise(done)), default=0.0)


def _unanswered(events: list[Event]) -> list[str]:
    return [
        f"{event.process} {event.op}: {event.facts['why']}"
        for event in events
        if event.at == "unknown" and event.process.split("-")[1] == "1"
    ]
