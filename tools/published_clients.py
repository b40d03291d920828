"""Installs the published clients, which need other versions than ours: `python -m tools.published_clients`."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
PINS: Final = ("backchannel-mcp==0.1.2", "backchannel-sdk==0.1.2", "mcp<2")
_VARIABLE: Final = "PUBLISHED_CLIENTS_VENV"


def environment() -> Path:
    """The virtual environment of the published clients: PUBLISHED_CLIENTS_VENV, else `.venv-published` of this project."""
    return Path(os.environ.get(_VARIABLE) or ROOT / ".venv-published").absolute()


def program(name: str) -> Path:
    """One of its programs, `python` among them."""
    return environment() / "bin" / name


def install() -> None:
    """Make the environment, unless it is there with these very versions. Raises CalledProcessError when pip cannot."""
    stamp = environment() / ".installed"
    wanted = "\n".join(PINS)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        stamp.touch()  # make compares times
        return
    venv.create(environment(), clear=True, with_pip=True)
    pip = [str(program("python")), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
    stamp.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(f"no arguments; {_VARIABLE} says where")
    install()
