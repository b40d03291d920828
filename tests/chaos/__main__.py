"""`make chaos`: every fault, over a store of each kind there is, and a table of what became of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import servers

from .faults import FAULTS, Fault
from .run import Played, play
from .stage import Size

TASKS, PER_SECOND = 2100, 150.0
COLUMNS = (
    "fault", "times", "tasks", "deliveries", "calls without an answer", "longest pause", "may be undone", "undone",
    "promises broken",
)  # fmt: skip


def row(played: Played) -> str:
    report = played.report
    cells = (
        played.fault.name, played.strikes, report.tasks, report.deliveries, report.unanswered_calls,
        f"{played.longest_silence:.1f} s", played.fault.allowed, report.undone, len(report.broken),
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def programs() -> list[str]:
    """The bundled Valkey, and the machine's own redis-server where there is one."""
    installed, bundled = shutil.which("redis-server"), servers.program()
    return [bundled, *([installed] if installed and installed != bundled else [])]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--tasks", type=int, default=TASKS, help="tasks of each run, at least")
    words.add_argument("--per-second", type=float, default=PER_SECOND, help="tasks that are posted each second, at most")
    words.add_argument("--only", default="", help="faults whose name has this in it")
    words.add_argument("--program", action="append", help="server program; more than one: one after the other")
    options = words.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    seed = int(os.environ.get("BACKCHANNEL_SEED", "0")) or random.SystemRandom().getrandbits(32)
    faults = [fault for fault in FAULTS if options.only.casefold() in fault.name.casefold()]
    home = Path(tempfile.mkdtemp(prefix="bcx-", dir="/tmp"))
    print(f"BACKCHANNEL_SEED={seed}; histories in {home}")
    well = True
    for program in options.program or programs():
        os.environ[servers.PROGRAM] = program
        print(f"\n{version(program)}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
        for number, fault in enumerate(faults):
            well &= one(fault, home / f"{Path(program).name}-{number}", Size(options.tasks, options.per_second), seed + number)
    if well:
        shutil.rmtree(home)
    return 0 if well else 1


def one(fault: Fault, folder: Path, size: Size, seed: int) -> bool:
    begun = time.monotonic()
    try:
        played = asyncio.run(play(fault, folder, size, seed))
    except (AssertionError, TimeoutError) as why:
        print(f"| {fault.name} | did not come to its end after {time.monotonic() - begun:.0f} s: {why} |", flush=True)
        return False
    print(row(played), flush=True)
    for broken in played.report.broken[:10]:
        print(f"  broken: {broken}", file=sys.stderr)
    return not played.report.broken


def version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
