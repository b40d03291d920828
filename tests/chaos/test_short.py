"""A short chaos run in every test run; `make chaos` plays all faults, each over thousands of tasks."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from . import strikes
from .faults import Fault
from .history import read
from .run import play
from .stage import Size, Stage

pytestmark = pytest.mark.anyio
SEED = int(os.environ.get("BACKCHANNEL_SEED", "0")) or random.SystemRandom().getrandbits(32)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def one_after_the_other(stage: Stage, dice: random.Random) -> None:
    await strikes.kill_a_worker(stage, dice)
    await strikes.kill_the_store(stage, dice)
    await strikes.cut_the_line(stage, dice)
    await strikes.kill_those_who_wait(stage, dice)


async def test_nothing_is_lost_when_workers_and_the_store_are_killed_and_the_line_is_cut() -> None:
    """Every post that was answered is done once, by one holder at a time, and whoever awaits it is told."""
    print(f"BACKCHANNEL_SEED={SEED}")
    fault = Fault("a short run", one_after_the_other, shape="proxied")
    with tempfile.TemporaryDirectory(prefix="bcx-", dir="/tmp") as folder:
        played = await play(fault, Path(folder) / "run", Size(150, 60), SEED, times=1)
        started = [event.facts["role"] for event in read(Path(folder) / "run") if event.op == "starts"]
    print(f"{played.report.tasks} tasks, {played.report.deliveries} deliveries, {played.seconds:.1f} s")
    assert played.report.broken == []
    assert played.report.tasks >= 150
    assert sorted(started) == ["awaiter"] * 3 + ["poster"] * 3 + ["worker"] * 3, "one of each was killed and replaced"
