"""The measurements run: each script's quick form prints its tables. What they measure is no test's business."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
QUICK = {
    "bench.capacity": ["waiting task of 200 bytes", "more once it is finished", "API key", "channel without messages"],
    "bench.bus": ["post + claim + ack", "uvloop, 50 in flight", "asyncio, one after the other", ">= 60%"],
    "bench.http": ["waiting request answered", "p99", "heartbeat", "await, finished", "broadcast", ">= 50%"],
    "bench.lists": ["messages, what matters now", "messages, broadcast", "channels, next page", "nearest names"],
    "bench.scale": ["tasks waiting", "20 claims on one channel", "20 awaits of as many tasks", "20 claims over HTTP"],
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("script", QUICK)
def test_a_measurement_runs_and_prints_its_table(script: str) -> None:
    """`python -m bench.<script> --quick` shows every row, in seconds."""
    done = run(script, "--quick")
    assert done.returncode == 0, done.stderr
    assert [words for words in QUICK[script] if words not in done.stdout] == []


def test_the_peers_are_named_without_being_installed() -> None:
    """The comparison installs what it compares with only when it runs."""
    done = run("bench.peers", "--help")
    assert done.returncode == 0, done.stderr
    assert "{docket,streaq,taskiq,arq}" in done.stdout
