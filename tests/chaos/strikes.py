"""What befalls processes and a single store in a chaos run."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
from contextlib import suppress

import redis

from bus import Settings, connect
from tests.servers import Server

from .stage import LEASE_SECONDS, Process, Stage


async def nothing(stage: Stage, dice: random.Random) -> None:
    await asyncio.sleep(1)


async def _replace(process: Process, dice: random.Random) -> None:
    await process.kill()
    await asyncio.sleep(dice.uniform(0, 0.5))
    process.start()


async def kill_a_worker(stage: Stage, dice: random.Random) -> None:
    await _replace(dice.choice(stage.workers), dice)


async def stop_a_worker(stage: Stage, dice: random.Random) -> None:
    """For longer than its leases last: it wakes up as the holder of what is another's by now."""
    await _pause(dice.choice(stage.workers), LEASE_SECONDS + 1)


async def _pause(process: Process, seconds: float) -> None:
    process.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.send(signal.SIGCONT)


async def kill_those_who_wait(stage: Stage, dice: random.Random) -> None:
    """A poster and an awaiter: both go on from what they have in writing."""
    await asyncio.gather(_replace(dice.choice(stage.posters), dice), _replace(dice.choice(stage.awaiters), dice))


async def kill_a_replica(stage: Stage, dice: random.Random) -> None:
    which = dice.randrange(len(stage.replicas))
    await _replace(stage.replicas[which], dice)
    await stage.ready(which)


async def stop_a_replica(stage: Stage, dice: random.Random) -> None:
    await _pause(dice.choice(stage.replicas), dice.uniform(2, 4))


async def roll_the_replicas(stage: Stage, dice: random.Random) -> None:
    for which, replica in enumerate(stage.replicas):
        replica.send(signal.SIGTERM)
        code = await replica.ended()
        assert code == 0, f"{replica.name} ended with {code}"
        replica.start()
        await stage.ready(which)


async def kill_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    await _restart(stage.server)


async def _restart(server: Server) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def stop_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    stage.server.pause()
    await asyncio.sleep(dice.uniform(1, 6))
    stage.server.resume()


async def break_the_connections(stage: Stage, dice: random.Random) -> None:
    """All at once, and the scripts are forgotten."""
    assert stage.server is not None
    with suppress(redis.RedisError), stage.server.client() as client:  # it may be dead already, by another fault
        client.script_flush()
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


async def cut_the_line(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.set_weather("cut")
    await asyncio.sleep(dice.uniform(0.2, 3))
    stage.line.set_weather("fair")


async def swallow_everything(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.set_weather("silent")
    await asyncio.sleep(dice.uniform(1, 3))
    stage.line.set_weather("fair")


async def slow_the_line(stage: Stage, dice: random.Random) -> None:
    assert stage.line is not None
    stage.line.delay_seconds = 0.2
    await asyncio.sleep(4)
    stage.line.delay_seconds = 0.0


async def jump_the_clocks(stage: Stage, dice: random.Random) -> None:
    """An hour or a day ahead, an hour back."""
    for offset in (dice.choice([3600, 86_400]), -3600, 0):
        stage.clock.write_text(str(offset))
        await asyncio.sleep(1)


async def fill_the_disk(stage: Stage, dice: random.Random) -> None:
    """The files of the store cannot grow any more; later they can again. A store that gave up is started again."""
    server = stage.server
    assert server is not None
    largest = server.largest_file()
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + dice.randrange(10, 5000), resource.RLIM_INFINITY))
    await asyncio.sleep(2)
    if server.running:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:  # with appendfsync always it ends rather than break its word
        await _restart(server)


async def empty_the_store(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    with stage.server.client() as client:
        client.flushall()
    await give_new_key(stage)


async def give_new_key(stage: Stage) -> None:
    """As its users would after all was lost."""
    async with connect(Settings(redis_url=stage.direct_url)) as bus:
        stage.give_key((await bus.credentials.issue("chaos")).api_key)


async def restart_everything(stage: Stage, dice: random.Random) -> None:
    assert stage.server is not None
    everything = [*stage.processes]
    dice.shuffle(everything)
    await asyncio.gather(*(process.kill() for process in everything))
    await _restart(stage.server)
    for process in everything:
        process.start()
    await asyncio.gather(*(stage.ready(n) for n in range(len(stage.replicas))))


async def anything(stage: Stage, dice: random.Random) -> None:
    """One after the other, and some at once."""
    several = [
        kill_a_worker, stop_a_worker, kill_a_replica, stop_a_replica, kill_the_store, break_the_connections,
        kill_those_who_wait, jump_the_clocks,
    ]  # fmt: skip
    await asyncio.gather(*(strike(stage, dice) for strike in dice.sample(several, 3)))
