"""Builds the wheel and tries it in a clean environment: that what is published works without this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Run by the clean environment's Python, from an empty folder: a post, a claim, an ack and the result, on the embedded store.
ROUND_TRIP = """
import asyncio
import api.app, bus, mcp_server.server
from bus import Settings, State, connect

async def main():
    async with connect(Settings()) as opened:
        issued = await opened.credentials.issue("wheel")
        caller = await opened.credentials.verify(issued.api_key)
        posted = await opened.tasks.post(caller, "review", "read the wheel")
        claim = await opened.tasks.claim(caller, "review")
        assert claim is not None and claim.content == "read the wheel", claim
        await opened.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result={"fine": True})
        finished = await opened.tasks.await_result(caller, posted.message.id)
        assert finished.state is State.DONE and finished.outcome.result == {"fine": True}, finished
        health = await opened.ping()
        print(f"post, claim, ack and result: fine, on {health.store} {health.server}")

asyncio.run(main())
"""


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))[:200]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout.strip()


def build(into: Path) -> Path:
    """The wheel of this checkout, built into the folder `into` by the hatchling of this environment."""
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", into, cwd=ROOT)
    (wheel,) = into.glob("*.whl")
    return wheel


def missing(wheel: Path) -> list[str]:
    """What a package folder holds that the wheel does not carry: every .py, .lua, py.typed, and data file."""
    carried = set(zipfile.ZipFile(wheel).namelist())
    return sorted(
        name
        for package in ("bus", "api", "mcp_server")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and (name := path.relative_to(ROOT).as_posix()) not in carried
    )


def _clean_environment(of: Path) -> dict[str, str]:
    """No setting, key or data of whoever runs this, and no PYTHONPATH by which this folder could be imported."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BACKCHANNEL_", "PYTHON", "XDG_", "VIRTUAL_ENV"))
    }
    return kept | {"HOME": str(of), "BACKCHANNEL_DATA_DIR": str(of / "data"), "BACKCHANNEL_CONFIG_DIR": str(of / "config")}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bcwheel-") as folder:
        place = Path(folder)
        wheel = build(place / "dist")
        if absent := missing(wheel):
            raise SystemExit(f"{wheel.name} lacks {', '.join(absent)}")
        print(f"built {wheel.name}: {wheel.stat().st_size // 1024} KiB, {len(zipfile.ZipFile(wheel).namelist())} files")
        venv.create(place / "venv", with_pip=True)
        binaries = place / "venv" / "bin"
        env = _clean_environment(place)
        _run(binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=place)
        for script in ("backchannel", "backchannel-mcp"):
            print(_run(binaries / script, "--version", cwd=place, env=env))
        print(_run(binaries / "python", "-W", "error", "-c", ROUND_TRIP, cwd=place, env=env))


if __name__ == "__main__":
    main()
