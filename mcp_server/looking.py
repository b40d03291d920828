"""Looks at the bus for what changed for an agent: outcomes and questions of its tasks, answers, mentions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from bus import Bus, State
from bus.errors import BusError, Forbidden, LeaseLost, MessageExpired, MessageNotFound, TaskCancelled

from .news import LEASE_OVER
from .notebook import Notebook
from .who import Who

EVERY_SECONDS: Final = 5.0
"""So much time lies between two looks."""
EVERY_SECONDS_REMOTE: Final = 20.0
"""Behind an HTTP API each is a request that counts against the key's limit."""
_ASKED_AT_ONCE: Final = 10
_GONE: Final = (Forbidden, MessageExpired, MessageNotFound)


async def look(bus: Bus, who: Who, notebook: Notebook) -> None:
    """A handful of calls at once. What one of them learns is noted even when another is refused, or cut short."""
    async with asyncio.TaskGroup() as group:
        for part in (_posted, _asked, _mentioned):
            group.create_task(_tried(part(bus, who, notebook)))


async def _tried(part: Coroutine[Any, Any, None]) -> None:
    with suppress(BusError):
        await part


async def _posted(bus: Bus, who: Who, notebook: Notebook) -> None:
    wanted = [message_id for message_id, errand in reversed(notebook.posted.items()) if not errand.over][:_ASKED_AT_ONCE]
    if not wanted:
        return
    try:
        for message in await bus.tasks.await_results(who.caller, wanted, need="any"):
            notebook.find(message)
    except _GONE:  # one of them: which?
        for message_id in wanted:
            await _find(bus, who, notebook, message_id)


async def _find(bus: Bus, who: Who, notebook: Notebook, message_id: str) -> None:
    try:
        notebook.find(await bus.tasks.await_result(who.caller, message_id))
    except _GONE:
        notebook.posted.pop(message_id, None)


async def _asked(bus: Bus, who: Who, notebook: Notebook) -> None:
    """Whether questions of the agent's own were answered."""
    asked = [message_id for message_id, work in notebook.held.items() if work.question == "asked"][:_ASKED_AT_ONCE]
    for message_id in asked:
        if (await bus.messages.get(who.caller, message_id)).state is State.IN_FLIGHT:
            notebook.renewed(message_id, asked=False)


async def _mentioned(bus: Bus, who: Who, notebook: Notebook) -> None:
    actor, since = who.actor or who.caller.label, notebook.mentions.since
    page = await bus.actors.mentions(who.caller, actor, since=since, limit=100)
    if notebook.mentions.since == since:  # else another look was quicker
        notebook.note_mentions(page)


async def look_at_held(bus: Bus, who: Who, notebook: Notebook) -> None:
    """Which claims have ended behind their holder's back, where nothing renews them and so nothing hears of it."""
    oldest = sorted(notebook.held, key=lambda message_id: notebook.held[message_id].touched_at)[:_ASKED_AT_ONCE]
    async with asyncio.TaskGroup() as group:
        for message_id in oldest:
            group.create_task(_tried(_look_at(bus, who, notebook, message_id)))


async def _look_at(bus: Bus, who: Who, notebook: Notebook, message_id: str) -> None:
    try:
        message = await bus.messages.get(who.caller, message_id)
    except _GONE:
        notebook.drop(message_id)
        return
    if (work := notebook.held.get(message_id)) is None:
        return
    if message.outcome is not None:
        if message.outcome.state is State.CANCELLED:
            notebook.lose(message_id, TaskCancelled.code)
        elif (message.outcome.actor, message.outcome.key_id) == (work.actor, who.caller.key_id):
            notebook.drop(message_id)
        else:
            notebook.lose(message_id, LeaseLost.code)
    elif message.hold is None:
        notebook.lose(message_id, LEASE_OVER if message.deliveries == work.delivery else LeaseLost.code)
    elif message.hold.delivery != work.delivery:
        notebook.lose(message_id, LeaseLost.code)
    elif message.hold.cancel_requested:
        notebook.lose(message_id, TaskCancelled.code)
    else:
        work.ends = message.hold.lease_expires_at.timestamp()
