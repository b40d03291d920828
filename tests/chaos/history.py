"""What every process of a run did and was answered: JSON lines, one file per process, written before and after each call."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

At = Literal["begin", "ok", "refused", "unknown", "note"]
"""`refused`: a clear answer that nothing was done. `unknown`: no answer. `note`: no call at all."""


class BrokenHistory(Exception):
    """A line that no process writes."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `call` is the same at a call's beginning and at its end; `wall` and `mono` are seconds."""

    process: str
    call: int
    op: str
    at: At
    wall: float
    mono: float
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def line(self) -> str:
        return json.dumps([self.process, self.call, self.op, self.at, self.wall, self.mono, self.facts], separators=(",", ":"))


class History:
    """A process's own part of it: only ever appended to, flushed line by line, so that a SIGKILL tears at most the last."""

    def __init__(self, folder: Path, process: str) -> None:
        self._process = process
        self._calls = 0
        self._file = (folder / f"{process}.jsonl").open("ab", buffering=0)

    def begin(self, op: str, **facts: Any) -> int:
        self._calls += 1
        self._write(self._calls, op, "begin", facts)
        return self._calls

    def end(self, call: int, op: str, at: At, **facts: Any) -> None:
        self._write(call, op, at, facts)

    def note(self, op: str, **facts: Any) -> None:
        self._calls += 1
        self._write(self._calls, op, "note", facts)

    def close(self) -> None:
        self._file.close()

    def _write(self, call: int, op: str, at: At, facts: dict[str, Any]) -> None:
        # Not time.time(): in the processes whose clock jumps that is the one that jumps.
        wall, mono = time.clock_gettime(time.CLOCK_REALTIME), time.clock_gettime(time.CLOCK_MONOTONIC)
        event = Event(self._process, call, op, at, round(wall, 4), round(mono, 4), facts)
        self._file.write(event.line().encode() + b"\n")


class Tail:
    """Reads what is new in the files of a run that goes on."""

    def __init__(self, folder: Path, pattern: str = "*.jsonl") -> None:
        self._folder = folder
        self._pattern = pattern
        self._read: dict[Path, int] = {}

    def new(self) -> Iterator[Event]:
        for path in sorted(self._folder.glob(self._pattern)):
            start = self._read.get(path, 0)
            with path.open("rb") as file:
                file.seek(start)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read[path] = start + len(whole) + 1
                yield from map(parsed, whole.split(b"\n"))


def parsed(line: bytes) -> Event:
    """Raises BrokenHistory."""
    try:
        process, call, op, at, wall, mono, facts = json.loads(line)
    except (ValueError, TypeError) as why:
        raise BrokenHistory(f"no event: {line[:80]!r}") from why
    return Event(process, call, op, at, wall, mono, facts)


def read(folder: Path) -> list[Event]:
    """The whole history in the order of its times. A last line that was torn by a SIGKILL is left out.

    Raises BrokenHistory for any other line that is no event.
    """
    return sorted(Tail(folder).new(), key=lambda event: event.mono)
