"""Enqueue to result beside docket, streaq, taskiq-redis and arq, one worker and one client each: `python -m bench.peers`.

Each peer gets an environment of its own under .venv-bench, made with pip the first time. All use one Valkey over TCP.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Goal, console, median, quantile, table, verdict
from bench.servers import valkey

from .side import AT_ONCE, URL

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-bench"
PEERS = {
    "docket": ["pydocket"],
    "streaq": ["streaq"],
    "taskiq": ["taskiq-redis"],
    "arq": ["arq"],
}
"""What pip installs for each, besides hiredis and uvloop, which all of them get."""
RATE = Goal(least=5.0)


def python_of(system: str) -> Path:
    """The Python that a system runs under; its environment is made when it is missing."""
    if system == "ours":
        return Path(sys.executable)
    python = ENVIRONMENTS / system / "bin" / "python"
    if not (ENVIRONMENTS / system / "complete").exists():
        console.print(f"installing {' '.join(PEERS[system])} into {ENVIRONMENTS.name}/{system}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENTS / system], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *PEERS[system], "hiredis", "uvloop"], check=True)
        (ENVIRONMENTS / system / "complete").touch()
    return python


def version_of(system: str) -> str:
    if system == "ours":
        return "Backchannel"
    asked = f"from importlib.metadata import version; print(version({PEERS[system][0]!r}))"
    return f"{PEERS[system][0]} {subprocess.check_output([python_of(system), '-c', asked], text=True).strip()}"


@contextmanager
def working(command: list[str], env: dict[str, str]) -> Generator[None]:
    """A worker process, from when it says that it is ready."""
    with subprocess.Popen([*command, "worker"], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{command} did not start")
            yield
        finally:
            process.kill()


def measured(system: str, url: str, seconds: float) -> dict[str, Any]:
    """One round of one system: see `side.client`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")} | {URL: url}
    command = [str(python_of(system)), "-m", "bench.peers.side", system]
    with working(command, env):
        done = subprocess.run(
            [*command, "client", str(seconds)], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    """A row per system; ours first, and how many times a peer's rate and how much of its p50 that is."""

    def alone(system: str) -> float:
        return quantile([ms for each in found[system] for ms in each["alone"][1]], 0.5)

    def rate(system: str) -> float:
        return median([each["crowd"][0] for each in found[system]])

    rows: list[list[str]] = []
    for system, rounds in found.items():
        times, goal = rate("ours") / rate(system), RATE if system == "docket" else None
        crowd = [ms for each in rounds for ms in each["crowd"][1]]
        rows.append(
            [
                version_of(system), f"{alone(system):.2f} ms",
                "" if system == "ours" else verdict(Goal(most=1.0), alone("ours") / alone(system)),
                f"{rate(system):.0f}/s", f"{quantile(crowd, 0.5):.0f} / {quantile(crowd, 0.99):.0f} ms",
                "" if system == "ours" else f"{times:.1f} {verdict(goal, times)}".strip(),
            ]
        )  # fmt: skip
    columns = ["", "one by one, p50", "ours lower", f"{AT_ONCE} in flight", "p50 / p99", "ours is … times that"]
    table("Enqueue -> result in the caller's hands (goal: 5 times docket's rate, a lower p50 than each)", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Backchannel beside four task queues on Redis.")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it runs, measures nothing")
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS), help="only these peers")
    given = parser.parse_args()
    seconds, rounds = (0.3, 1) if given.quick else (4.0, 3)
    found: dict[str, list[dict[str, Any]]] = {system: [] for system in ("ours", *given.only)}
    for system in found:
        python_of(system)
    for _ in range(rounds):
        for system, rounds_of in found.items():
            with tempfile.TemporaryDirectory(prefix="bcbench-", dir="/tmp") as folder, valkey(Path(folder)) as port:
                rounds_of.append(measured(system, f"redis://127.0.0.1:{port}/0", seconds))
    show(found)


if __name__ == "__main__":
    main()
