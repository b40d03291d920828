"""The faults that a chaos run injects, what each is allowed to undo, and on what it plays."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from . import fleet_strikes, strikes
from .stage import Shape, Stage

Strike = Callable[[Stage, random.Random], Awaitable[None]]
EVERYTHING: Final = float("inf")


@dataclass(frozen=True)
class Fault:
    """`strike` injects it and ends it. `undoes_seconds`: what was acknowledged so long before it struck, or until
    `settles_seconds` after it was over, may be undone (None: nothing may). `allowed`: the same in words."""

    name: str
    strike: Strike
    shape: Shape = "one"
    times: int = 3
    options: Sequence[str] = ()
    undoes_seconds: float | None = None
    settles_seconds: float = 0.0
    allowed: str = "nothing"


UNREPLICATED = "what had not reached the replica, and what the old primary took before it knew"
EVERYSEC, ALWAYS = ("--appendfsync", "everysec"), ("--appendfsync", "always")
FAULTS: Final = (
    Fault("none", strikes.nothing),
    Fault("SIGKILL of workers", strikes.kill_a_worker, times=6),
    Fault("SIGSTOP of workers past their leases", strikes.stop_a_worker, times=3),
    Fault("SIGKILL of posters and awaiters", strikes.kill_those_who_wait, times=4),
    Fault("SIGKILL of API replicas", strikes.kill_a_replica, times=4),
    Fault("SIGSTOP of API replicas", strikes.stop_a_replica, times=3),
    Fault("rolling restart of API replicas", strikes.roll_the_replicas, times=2),
    Fault("SIGKILL of Redis, appendfsync always", strikes.kill_the_store, times=5),
    Fault("SIGKILL of Redis, appendfsync everysec", strikes.kill_the_store, times=5, options=EVERYSEC, undoes_seconds=2,
          allowed="the 2 s before it"),
    Fault("SIGSTOP of Redis", strikes.stop_the_store, times=3),
    Fault("all connections killed, SCRIPT FLUSH", strikes.break_the_connections, times=10),
    Fault("network cut", strikes.cut_the_line, shape="proxied", times=4),
    Fault("network silent, connections forgotten", strikes.swallow_everything, shape="proxied", times=2),
    Fault("network 200 ms slower each way", strikes.slow_the_line, shape="proxied", times=2),
    Fault("clients' clocks jump an hour or a day", strikes.jump_the_clocks, times=3),
    Fault("disk full, appendfsync everysec", strikes.fill_the_disk, options=EVERYSEC, times=3),
    Fault("disk full, appendfsync always", strikes.fill_the_disk, options=ALWAYS, times=3),
    Fault("FLUSHALL", strikes.empty_the_store, times=2, undoes_seconds=EVERYTHING, settles_seconds=1, allowed="all before it"),
    Fault("restart of everything", strikes.restart_everything, times=2),
    Fault("three of these at once, on one Redis", strikes.anything, times=3),
    Fault("Sentinel failover, asked for", fleet_strikes.fail_over, shape="sentinel", times=2, undoes_seconds=2,
          settles_seconds=3, allowed=UNREPLICATED),
    Fault("Sentinel: SIGKILL of the primary", fleet_strikes.kill_the_primary, shape="sentinel", times=2, undoes_seconds=2,
          settles_seconds=3, allowed=UNREPLICATED),
    Fault("Sentinel: SIGSTOP of the primary", fleet_strikes.stop_the_primary, shape="sentinel", times=2, undoes_seconds=2,
          settles_seconds=3, allowed=UNREPLICATED),
    Fault("cluster: the channel's slot moves", fleet_strikes.move_the_slot, shape="cluster", times=6),
    Fault("cluster failover, asked for", fleet_strikes.cluster_takes_over, shape="cluster", times=3),
    Fault("cluster: SIGKILL of the primary", fleet_strikes.kill_a_cluster_primary, shape="cluster", times=2, undoes_seconds=2,
          settles_seconds=2, allowed=UNREPLICATED),
)  # fmt: skip
