"""What one server says of itself: INFO and CONFIG, as far as it lets us ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from ..store.link import ask

PINGS: Final = 50
ANSWER_SECONDS: Final = 5.0
_WANTED: Final = (
    "appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy", "notify-keyspace-events", "min-replicas-to-write",
    "min-replicas-max-lag",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """`info`, `config`: by name, None where the server refuses to tell. `skew_seconds`: its clock ahead of ours, None when
    the answer took too long to tell. `pings_ms`: how long each took, sorted."""

    info: Mapping[str, str] | None
    config: Mapping[str, str] | None
    skew_seconds: float | None
    pings_ms: list[float]

    def number(self, name: str) -> int:
        """Of INFO; 0 where it does not say."""
        text = (self.info or {}).get(name, "")
        return int(text) if text.lstrip("-").isdecimal() else 0

    def told(self, name: str) -> str:
        """Of INFO; empty where it does not say."""
        return (self.info or {}).get(name, "")

    def setting(self, name: str) -> str | None:
        """Of CONFIG; None where it does not say."""
        return None if self.config is None else self.config.get(name)


async def facts(connection: AbstractConnection) -> Facts:
    """Raises redis.exceptions.RedisError or OSError when the connection is lost, TimeoutError when it goes silent."""
    async with asyncio.timeout(ANSWER_SECONDS):
        info, config = await _info(connection), await _config(connection)
        skew, pings = await _skew(connection), await _pings(connection)
    return Facts(info, config, skew, pings)


async def _info(connection: AbstractConnection) -> dict[str, str] | None:
    try:
        text = str(await ask(connection, "INFO"))
    except ResponseError:
        return None
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


async def _config(connection: AbstractConnection) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name in _WANTED:  # one by one: several at once need Redis 7.0, and old versions are to be told as such
        try:
            reply: list[Any] = await ask(connection, "CONFIG", "GET", name)
        except ResponseError:
            return None
        found.update(zip(reply[::2], reply[1::2], strict=True))
    return found or None  # managed services know none of them


async def _skew(connection: AbstractConnection) -> float | None:
    before = time.time()
    try:
        seconds, microseconds = await ask(connection, "TIME")
    except ResponseError:
        return None
    after = time.time()
    there = int(seconds) + int(microseconds) / 1e6
    if before <= there <= after:
        return 0.0
    return there - after if there > after else there - before


async def _pings(connection: AbstractConnection) -> list[float]:
    found: list[float] = []
    for _ in range(PINGS):
        begun = time.perf_counter()
        await ask(connection, "PING")
        found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)
