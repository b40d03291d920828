"""Workers that race for tasks: some steady, some whose claims are cancelled at any moment. Also a process full of them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from bus import Bus, Caller, Claim, Settings, connect

WAIT = timedelta(seconds=30)


@dataclass(frozen=True)
class Handed:
    """One task that reached one worker, and was acked by it."""

    message_id: str
    actor: str
    delivery: int


async def steady(bus: Bus, caller: Caller, channel: str, actor: str) -> Claim | None:
    """The next task, waited for."""
    return await bus.tasks.claim(caller, channel, actor=actor, wait=WAIT)


async def cut_off(bus: Bus, caller: Caller, channel: str, actor: str, patience: random.Random) -> Claim | None:
    """The next task, unless the claim is cancelled first: before it is sent, on its way, waiting, or being answered."""
    try:
        async with asyncio.timeout(patience.expovariate(200)):
            return await bus.tasks.claim(caller, channel, actor=actor, wait=WAIT)
    except TimeoutError:
        return None


async def work(
    bus: Bus, caller: Caller, channel: str, actor: str, restless: random.Random | None, tell: Callable[[Handed], None]
) -> None:
    """Claim and ack for ever; the result of each task says who did it.

    Who was cut off asks something else first, as a client that comes back would: claims that nobody waits for would
    otherwise be sent faster than they can be answered.
    """
    while True:
        claim = await (cut_off(bus, caller, channel, actor, restless) if restless else steady(bus, caller, channel, actor))
        if claim is None:
            await bus.channels.counts(caller, channel)
        else:
            tell(Handed(claim.id, actor, claim.delivery))
            await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result=[actor, claim.content])


async def work_until_told(name: str, channel: str, claimers: int, seed: int) -> list[Handed]:
    """A process's share of the work, until its input ends."""
    handed: list[Handed] = []
    async with connect(Settings()) as bus:
        caller = await bus.credentials.verify(os.environ["RACE_KEY"])
        async with asyncio.TaskGroup() as group:
            workers = [
                group.create_task(
                    work(bus, caller, channel, f"{name}-{n}", None if n % 2 else random.Random(seed + n), handed.append)
                )
                for n in range(claimers)
            ]
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)
            for worker in workers:
                worker.cancel()
    return handed


if __name__ == "__main__":
    done = asyncio.run(work_until_told(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    print(json.dumps([asdict(one) for one in done]), flush=True)
