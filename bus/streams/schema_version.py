"""The version of the keys' schema, kept in the store: a process that does not know it does not touch the data."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from .. import __version__
from ..errors import StoreFull, StoreUnavailable
from .engine import Engine

log = logging.getLogger(__name__)

SCHEMA: Final = 1
"""What this version writes; it reads every older one as well."""
FIELD: Final = "schema"
PATIENCE_SECONDS: Final = 1.0
"""A store that does not answer within it is asked again later: it keeps no process from starting."""
REPEAT_SECONDS: Final = 5.0


class SchemaTooNew(ValueError):
    """The data was written by a newer version; this one does not run on it."""


def refusal(found: str | None) -> str | None:
    """Why this version must not run on data of that schema; None: it may."""
    if found is None or (found.isdecimal() and int(found) <= SCHEMA):
        return None
    return (
        f"the store's data has schema {found[:20]!r}, and Backchannel {__version__} knows schemas up to {SCHEMA}: a newer"
        " version wrote it. Run that version, or restore a backup made before the upgrade (docs/operations.md)"
    )


async def check(engine: Engine) -> None:
    """Raises SchemaTooNew; StoreUnavailable when the store does not tell. A new bus is given its schema."""
    store, config = engine.store, engine.keys.config
    found = await store.command("HGET", config, FIELD)
    if found is None:
        with suppress(StoreFull):  # then it is noted by who comes later
            await store.command("HSETNX", config, FIELD, SCHEMA)
            found = await store.command("HGET", config, FIELD)
    if why := refusal(found):
        raise SchemaTooNew(why)


async def check_at_start(engine: Engine) -> None:
    """`check`, but a store that is down may tell later. Raises SchemaTooNew."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await check(engine)


async def check_forever(engine: Engine) -> None:
    """Raises SchemaTooNew once it is: the store came late, or somebody upgraded it under a process that still runs."""
    while True:
        await asyncio.sleep(REPEAT_SECONDS)
        try:
            await check(engine)
        except StoreUnavailable as why:
            log.debug("the schema is looked at when the store is back: %s", why)
        except SchemaTooNew as why:
            log.critical("%s. This process answers nothing any more", why)
            raise
