"""The floor under the bus: its own scripts, with the keys and arguments that it sends, in a bare loop over one connection."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import hiredis

from bus import Settings
from bus.models import Caller
from bus.store import Arg, Script
from bus.streams.connecting import bus_over, connect_engine

_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Sent:
    """One script as the bus ran it."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Arg]

    def packed(self, args: Sequence[Arg] | None = None) -> bytes:
        return hiredis.pack_command(("EVALSHA", self.script.sha, len(self.keys), *self.keys, *(args or self.args)))  # type: ignore[arg-type]  # its stub knows no long tuples


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one post + claim + ack sends."""

    post: Sent
    claim: Sent
    ack: Sent

    def ack_of(self, stream_id: str, delivery: int) -> bytes:
        consumer, _, _, *rest = self.ack.args
        return self.ack.packed((consumer, delivery, stream_id, *rest))


class _Noting:
    """A store that notes the scripts that pass through it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.sent: dict[str, Sent] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        self.sent[script.name] = Sent(script, keys, args)
        return self._store.run(script, keys, args)

    def run_confirmed(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        self.sent[script.name] = Sent(script, keys, args)
        return self._store.run_confirmed(script, keys, args)


async def noted(settings: Settings, caller: Caller, channel: str, content: str) -> Cycle:
    """Lets the bus do one cycle, and notes what it sent."""
    async with connect_engine(settings) as engine:
        noting = _Noting(engine.store)
        bus = bus_over(replace(engine, store=noting))
        await bus.tasks.post(caller, channel, content)
        claim = await bus.tasks.claim(caller, channel)
        if claim is None:
            raise RuntimeError(f"'{channel}' is used by somebody else")
        await bus.tasks.ack(caller, claim.id, claim_token=claim.claim_token, result="ok")
        return Cycle(noting.sent["post"], noting.sent["claim"], noting.sent["ack"])


class Bare:
    """One blocking connection: a socket and hiredis, nothing else."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._reader = hiredis.Reader(encoding="utf-8")

    def ask(self, packed: bytes, replies: int = 1) -> list[Any]:
        """Send, and read so many replies."""
        self._socket.sendall(packed)
        found: list[Any] = []
        while len(found) < replies:
            reply = self._reader.gets()
            if reply is False:
                self._reader.feed(self._socket.recv(_READ_BYTES))
            elif isinstance(reply, Exception):
                raise reply
            else:
                found.append(reply)
        return found

    def cycles(self, cycle: Cycle, count: int, deep: int) -> None:
        """`count` cycles, `deep` of them in each pipeline."""
        for _ in range(count // deep):
            self.ask(b"".join(cycle.post.packed() for _ in range(deep)), deep)
            claims = self.ask(b"".join(cycle.claim.packed() for _ in range(deep)), deep)
            self.ask(b"".join(cycle.ack_of(reply[2][0], reply[2][5]) for reply in claims), deep)

    def close(self) -> None:
        self._socket.close()
