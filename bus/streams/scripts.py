"""The Lua scripts, one transition each, with their shared parts put in front."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from ..store import Script

_INCLUDE = re.compile(r"^--@include (\w+)\n", re.MULTILINE)
_FOLDER = files("bus") / "scripts"


def _resolve(source: str, done: list[str]) -> str:
    """The source with each included part before it, once, in the order of need."""
    parts: list[str] = []
    for name in _INCLUDE.findall(source):
        if name not in done:
            done.append(name)
            parts.append(_resolve((_FOLDER / "lib" / f"{name}.lua").read_text("utf-8"), done))
    return "".join(parts) + _INCLUDE.sub("", source)


@cache
def script(name: str, publish_prefix: str | None = None) -> Script:
    """The script of that name; with `publish_prefix` it publishes what the server may not be told to notify."""
    publish = f"local PUBLISH = {publish_prefix!r}\n" if publish_prefix else "local PUBLISH = false\n"
    source = publish + _resolve((_FOLDER / f"{name}.lua").read_text("utf-8"), [])
    # Redis names scripts by SHA-1; nothing here rests on its strength.
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def names() -> list[str]:
    """Every script there is."""
    return sorted(path.name.removesuffix(".lua") for path in _FOLDER.iterdir() if path.name.endswith(".lua"))
