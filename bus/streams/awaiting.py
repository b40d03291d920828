"""Awaiting tasks on Redis Streams, one or several: whoever waits is told of each outcome and of each question."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .. import awaiting
from ..awaiting import Need
from ..credentials import READ, require
from ..errors import BusError, Forbidden, InvalidInput
from ..models import Caller, Message, State
from .bell import Standing
from .credentials import RedisCredentials
from .engine import Engine, place
from .messages import RedisMessages
from .waiting import A_LITTLE_LATER, Seen, until


@dataclass(slots=True)
class _Task:
    """One of those awaited: what was seen of it last, where the ringing stood then, and when looking again pays anyway."""

    message_id: str
    place: tuple[str, str]
    """Its channel and stream id."""
    lines: tuple[str, ...]
    """The Redis keys that ring for it: its result, what its holder says, its channel's end."""
    seen: Message | None = None
    stood: tuple[Standing, ...] = ()
    look_at: float = -math.inf


class RedisAwaiting:
    def __init__(self, engine: Engine, messages: RedisMessages, credentials: RedisCredentials) -> None:
        self._engine = engine
        self._messages = messages
        self._credentials = credentials

    async def one(self, caller: Caller, message_id: str, wait: timedelta) -> Message:
        """See `Tasks.await_result`."""
        require(caller, READ)
        return (await self._awaited(caller, [self._task(message_id)], "all", wait))[0]

    async def several(self, caller: Caller, message_ids: Sequence[str], need: Need, wait: timedelta) -> Sequence[Message]:
        """See `Tasks.await_results`. What is named twice is asked for once."""
        require(caller, READ)
        given = [] if isinstance(message_ids, str) else list(message_ids)
        if not 1 <= len(given) <= awaiting.MOST:
            told = f"message_ids must name 1 to {awaiting.MOST} tasks"
            raise InvalidInput(told, field="message_ids", code="invalid_message_ids")
        if need not in ("all", "any"):
            raise InvalidInput("need must be 'all' or 'any'", field="need", code="invalid_need")
        named = [self._task(message_id) for message_id in given]
        tasks: dict[tuple[str, str], _Task] = {}
        for task in named:
            tasks.setdefault(task.place, task)
        found = dict(zip(tasks, await self._awaited(caller, list(tasks.values()), need, wait), strict=True))
        return [found[task.place] for task in named]

    def _task(self, message_id: str) -> _Task:
        (channel, stream_id), keys = place(message_id), self._engine.keys
        lines = (keys.result(channel, stream_id), keys.progress(channel, stream_id), keys.gone(channel))
        return _Task(message_id, (channel, stream_id), lines)

    async def _awaited(self, caller: Caller, tasks: list[_Task], need: Need, wait: timedelta) -> list[Message]:
        looks = _Looks(self._engine, self._messages, caller, tasks, need, wait)
        shared = tuple(dict.fromkeys(line for task in tasks for line in task.lines))

        async def worth() -> bool:
            by_channel: dict[str, list[str]] = {}  # one command's keys must be one channel's, which lie on one node
            for task in tasks:
                by_channel.setdefault(task.place[0], []).extend(task.lines[:2])
            return any(await asyncio.gather(*(self._engine.store.command("EXISTS", *each) for each in by_channel.values())))

        found = await until(self._engine, self._credentials, caller, looks.look, wait, shared=shared, worth=worth)
        return found if self._engine.bell.draining else await self._counted(caller, tasks, found)

    async def _counted(self, caller: Caller, tasks: list[_Task], found: list[Message]) -> list[Message]:
        """The same, with how many are handed out before those that wait."""
        waiting: dict[str, list[str]] = {}
        for task, message in zip(tasks, found, strict=True):
            if message.state is State.WAITING:
                waiting.setdefault(task.place[0], []).append(task.place[1])
        if not waiting:
            return found
        ahead: dict[tuple[str, str], int] = {}
        for counts in await asyncio.gather(*(self._ahead(caller, *each) for each in waiting.items())):
            ahead |= counts
        return [replace(message, ahead=ahead.get(task.place)) for task, message in zip(tasks, found, strict=True)]

    async def _ahead(self, caller: Caller, channel: str, stream_ids: list[str]) -> dict[tuple[str, str], int]:
        """How many tasks are handed out before each of these that still waits."""
        oldest_first = sorted(stream_ids, key=lambda each: tuple(map(int, each.split("-"))))
        reply = await self._engine.run_on_message("ahead", channel, caller.key_id, awaiting.MOST_AHEAD, *oldest_first)
        return {(channel, each): count for each, count in zip(oldest_first, reply[1], strict=True) if count >= 0}


class _Looks:
    """Looks at the tasks of one wait, each time only at those of which there may be news; at its end at all that are open."""

    def __init__(
        self, engine: Engine, messages: RedisMessages, caller: Caller, tasks: list[_Task], need: Need, wait: timedelta
    ) -> None:
        self._bell = engine.bell
        self._messages = messages
        self._caller = caller
        self._tasks = tasks
        self._need: Need = need
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + wait.total_seconds()

    async def look(self) -> Seen[list[Message]]:
        now = self._clock()
        unfinished = [task for task in self._tasks if task.seen is None or not awaiting.finished(task.seen)]
        now_asked = [task for task in unfinished if now >= self._deadline or self._may_have_changed(task, now)]
        await self._ask(now_asked)
        if awaiting.enough(self._found(), self._need):
            await self._ask([task for task in unfinished if task not in now_asked])
            return Seen(self._found(), enough=True)
        look_at = min(task.look_at for task in unfinished)
        return Seen(self._found(), enough=False, look_in=max(look_at - self._clock(), 0))

    def _found(self) -> list[Message]:
        return [task.seen for task in self._tasks if task.seen is not None]

    def _may_have_changed(self, task: _Task, now: float) -> bool:
        stands = self._stands(task)
        return now >= task.look_at or stands != task.stood or None in stands

    def _stands(self, task: _Task) -> tuple[Standing, ...]:
        return tuple(self._bell.stands(line) for line in task.lines)

    async def _ask(self, tasks: list[_Task]) -> None:
        """Raises what the first of them is refused with, in the order of the tasks."""
        stood = [self._stands(task) for task in tasks]
        if len(tasks) == 1:
            answers: Sequence[BusError | None] = [await self._ask_for(tasks[0], stood[0])]
        else:
            answers = await asyncio.gather(*map(self._ask_for, tasks, stood))
        for refused in answers:
            if refused is not None:
                raise refused

    async def _ask_for(self, task: _Task, stood: tuple[Standing, ...]) -> BusError | None:
        """The refusal as a value, so that it is the first id's whichever answer comes first."""
        task.stood = ()
        try:
            found, next_change = await self._messages.look_at(self._caller, task.message_id)
        except BusError as refused:
            return refused
        if found.result_withheld:
            return Forbidden("only the key that posted the task, the one that finished it and channel members see its result")
        task.seen, task.stood = found, stood
        task.look_at = self._clock() + max(next_change, 0.0) + A_LITTLE_LATER
        return None
