"""A claimable channel as its Redis keys hold it, read without any script of the bus, and time moved inside Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bus.streams.engine import Engine

LATER_MS = 1_000_000


@dataclass(frozen=True)
class Inside:
    """`stream`: ids; `pending`: id -> (consumer, delivery); `due`, `parked`, `done`: id -> ms; `letters`: (id, why)."""

    now: int
    stream: Sequence[str]
    pending: dict[str, tuple[str, int]]
    due: dict[str, float]
    parked: dict[str, float]
    done: dict[str, float]
    recorded: frozenset[str]
    letters: Sequence[tuple[str, str]]
    results: dict[str, dict[str, Any]]


def _scores(flat: Sequence[str]) -> dict[str, float]:
    return {member: float(score) for member, score in zip(flat[::2], flat[1::2], strict=True)}


def _entry(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def look_inside(engine: Engine, channel: str, stream_ids: Sequence[str]) -> Inside:
    """All of it at one moment, as long as nobody else uses the channel."""
    keys, command = engine.keys, engine.store.command
    due, done, deliveries, parked = (f"{keys.channel(channel)}:{part}" for part in ("due", "done", "deliveries", "parked"))
    asked = (
        command("TIME"),
        command("XRANGE", keys.stream(channel), "-", "+"),
        command("XPENDING", keys.stream(channel), "workers", "-", "+", 10_000),
        *(command("ZRANGE", index, 0, -1, "WITHSCORES") for index in (due, parked, done)),
        command("HKEYS", deliveries),
        command("XRANGE", keys.dead(channel), "-", "+"),
        *(command("GET", keys.result(channel, stream_id)) for stream_id in stream_ids),
    )
    time, stream, pending, dues, parks, dones, recorded, dead, *results = await asyncio.gather(*asked)
    letters = [_entry(fields) for _, fields in dead]
    return Inside(
        now=int(time[0]) * 1000 + int(time[1]) // 1000,
        stream=[entry[0] for entry in stream],
        pending={entry[0]: (entry[1], int(entry[3])) for entry in pending},
        due=_scores(dues),
        parked=_scores(parks),
        done=_scores(dones),
        recorded=frozenset(recorded),
        letters=[(letter["_id"], letter["_reason"]) for letter in letters],
        results={of: json.loads(text) for of, text in zip(stream_ids, results, strict=True) if text},
    )


async def due_at(engine: Engine, channel: str, stream_id: str, ms: int) -> None:
    """Move the end of a task's lease or delay."""
    for index in ("due", "parked"):
        await engine.store.command("ZADD", f"{engine.keys.channel(channel)}:{index}", "XX", ms, stream_id)


async def time_of(engine: Engine) -> int:
    """Redis's clock, in ms."""
    seconds, micros = await engine.store.command("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def claimable_again(engine: Engine, channel: str) -> list[str]:
    """Ids whose lease or delay is over, in the order in which a claim looks at them."""
    now = await time_of(engine)
    return await engine.store.command("ZRANGE", f"{engine.keys.channel(channel)}:due", "-inf", now, "BYSCORE")


async def expired(engine: Engine, channel: str, stream_id: str) -> None:
    """End a task's time to live. An entry cannot be changed, so the stream is written anew, hands and all."""
    stream, command = engine.keys.stream(channel), engine.store.command
    entries, pending = await command("XRANGE", stream, "-", "+"), await command("XPENDING", stream, "workers", "-", "+", 10_000)
    group = _entry((await command("XINFO", "GROUPS", stream))[0])
    newest = _entry((await command("XINFO", "STREAM", stream))[:8])["last-generated-id"]
    await command("DEL", stream)
    for of, fields in entries:
        kept = _entry(fields) | ({"_exp": "1"} if of == stream_id else {})
        await command("XADD", stream, of, *(part for pair in kept.items() for part in pair))
    await command("XSETID", stream, newest)
    await command("XGROUP", "CREATE", stream, "workers", group["last-delivered-id"], "ENTRIESREAD", group["entries-read"] or 0)
    for of, holder, _, delivery in pending:
        await command("XCLAIM", stream, "workers", holder, 0, of, "RETRYCOUNT", delivery, "FORCE", "JUSTID")
