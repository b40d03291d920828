"""Whether the server tells of changed keys: it is asked to, and where it may not be asked, tried."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MovedError, ResponseError

from .link import Connect, ask

log = logging.getLogger(__name__)

NEEDED: Final = "K$t"
"""Keyspace channels, of strings (results, bells) and of streams."""
PROBE_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 5.0
_SETTING: Final = "notify-keyspace-events"


class Mode(enum.Enum):
    KEYSPACE = "keyspace"
    """The server sends keyspace notifications."""
    PUBLISH = "publish"
    """It does not and we may not change that: scripts publish the same themselves."""


def missing_classes(flags: str) -> str:
    """The letters to add to these flags. `A` stands for every class but the keyspace and keyevent channels."""
    needed = "K" if "A" in flags else NEEDED
    return "".join(letter for letter in needed if letter not in flags)


async def find_mode(connection: AbstractConnection, connect: Connect, *, prefix: str, probe_key: Callable[[], str]) -> Mode:
    """Turn on what is missing, keeping what is on. Where CONFIG is refused, look whether events come anyway.

    `connection` must not have subscribed yet. Raises redis.exceptions.RedisError or OSError when a connection is lost,
    TimeoutError when it goes silent.
    """
    async with asyncio.timeout(_ANSWER_SECONDS):
        return await _find_mode(connection, connect, prefix, probe_key)


async def _find_mode(connection: AbstractConnection, connect: Connect, prefix: str, probe_key: Callable[[], str]) -> Mode:
    try:
        reply = await ask(connection, "CONFIG", "GET", _SETTING)
        if reply:
            if missing := missing_classes(str(reply[1])):
                await ask(connection, "CONFIG", "SET", _SETTING, f"{reply[1]}{missing}")
                log.info("turned on keyspace notifications (%s added to %r)", missing, reply[1])
            return Mode.KEYSPACE
        refused = "it knows no such setting"
    except ResponseError as error:
        refused = str(error)
    if await _events_come(connection, connect, prefix, probe_key()):
        return Mode.KEYSPACE
    log.warning(
        "the store sends no keyspace notifications and does not let us turn them on (%s): scripts publish them instead;"
        " setting %s to %s (or more) on the server saves that",
        refused, _SETTING, NEEDED,
    )  # fmt: skip
    return Mode.PUBLISH


async def _events_come(connection: AbstractConnection, connect: Connect, prefix: str, redis_key: str) -> bool:
    writer = await connect()
    try:
        await ask(connection, "SUBSCRIBE", prefix + redis_key)
        try:
            await ask(writer, "SET", redis_key, "1", "EX", "1")
            push = cast(Any, await connection.read_response(timeout=PROBE_SECONDS))
        except MovedError:  # a node of a cluster that owns nothing we know of tells nothing now, and the others told their mode
            return True
        except ResponseError:  # we may not write there: nothing to go by
            push = None
        await ask(connection, "UNSUBSCRIBE", prefix + redis_key)
        return push is not None
    finally:
        await writer.disconnect(nowait=True)
