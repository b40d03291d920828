"""Tells the hooks of the client what waits for its session: they ask a socket of this process, so nothing told is stale."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from bus import Bus
from bus.errors import BusError

from .news import news, tasks_wait
from .session import Session

log = logging.getLogger(__name__)

SESSION_VARIABLE: Final = "CLAUDE_CODE_SESSION_ID"
"""Set by a client whose hooks may ask; they are told the same name, and find the socket by it."""
STOP, START = "Stop", "SessionStart"
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_PATIENCE_SECONDS: Final = 0.1
"""So long may the bus take: the hook holds up a prompt. What is not known by then is told at a later one."""
_ASKED_AT_ONCE: Final = 10


class Notices:
    """What one session should hear of: ids, counts and the names it used itself, never what other agents wrote.

    It shares the session's notebook, so what an answer told is not told here again, nor the other way round.
    """

    def __init__(self, bus: Bus, session: Session) -> None:
        self._bus = bus
        self._session = session
        self._reminded: set[str] = set()
        self._waiting: dict[str, int] = {}

    async def lines(self, event: str) -> list[str]:
        """One line for each thing that is news; for `Stop` each claim once, for `SessionStart` also what was told before."""
        session = self._session
        if event == STOP:
            return self._unfinished()
        if event == START:
            session.notebook.untell()
            self._waiting.clear()
        found = self._held() if event == START else []
        waits: list[str] = []
        if session.known:
            with suppress(TimeoutError, BusError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await session.look(self._bus, at_once=True)
                    await self._waits(waits)
        for each in news(session.notebook, about=session.notebook.awaited):
            each.told()
            found.append(
                f"{each.line[0].upper()}{each.line[1:]}." if each.line.startswith(("you", "the ")) else f"{each.line}."
            )
        return found + waits

    def _held(self) -> list[str]:
        for message_id in self._session.held:
            self._session.notebook.remind(message_id)
        return [f"You hold the task {message_id}; finish it with ack_task." for message_id in self._session.held]

    def _unfinished(self) -> list[str]:
        """Once per claim: who goes on with a task over several turns is not kept from ending each of them. A question that
        is open keeps nobody."""
        session = self._session
        held = [
            each
            for each in session.held.values()
            if each.claim.claim_token not in self._reminded and session.notebook.held[each.claim.id].question != "asked"
        ]
        self._reminded.update(each.claim.claim_token for each in held)
        for each in held:
            session.notebook.remind(each.claim.id)
        return [
            f"You still hold the task {each.claim.id}: ack_task with its result, ack_task with status failed, or release_task. "
            "If you go on with it later, or need your user first, end your turn again."
            for each in held
        ]

    async def _waits(self, found: list[str]) -> None:
        for channel in list(reversed(self._session.worked))[:_ASKED_AT_ONCE]:
            who = await self._session.who(self._bus)
            waiting = (await self._bus.channels.counts(who.caller, channel)).waiting
            if waiting > self._waiting.get(channel, 0):
                found.append(tasks_wait(waiting, channel))
            self._waiting[channel] = waiting

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question, the hook event's name on a line; one answer, a JSON list of lines."""
        try:
            async with asyncio.timeout(1):
                event = (await reader.readline()).decode(errors="replace").strip()
                writer.write(json.dumps(await self.lines(event)).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:  # the hook has gone, or says no line
            log.debug("a hook got no answer: %s", error)
        finally:
            writer.close()


@asynccontextmanager
async def hooks_answered(bus: Bus, session: Session, client_session: str | None) -> AsyncGenerator[None]:
    """While it is open, hooks of that session of the client get answers; where no socket can be, they hear nothing."""
    path = _socket(session.settings.config_dir, client_session)
    server = await _listening(Notices(bus, session), path) if path else None
    if server is None or path is None:
        yield
        return
    try:
        async with server:
            yield
    finally:
        path.unlink(missing_ok=True)


def _socket(config_dir: Path, client_session: str | None) -> Path | None:
    """Two servers of one session have a socket each: the process's id tells them apart."""
    if not client_session or not _NAME.fullmatch(client_session):
        return None
    return config_dir / "sessions" / f"{client_session}.{os.getpid()}"


async def _listening(notices: Notices, path: Path) -> asyncio.Server | None:
    try:
        _make_private([path.parent.parent, path.parent])
        return await asyncio.start_unix_server(notices.answer, path)
    except OSError as error:  # a read-only home; a path too long for a socket
        log.info("hooks of this session hear nothing, no socket at %s: %s", path, error)
        return None


def _make_private(folders: Sequence[Path]) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
