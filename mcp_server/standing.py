"""Where an unfinished task stands, in a line for people and in fields for models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from bus import Message, State
from bus.awaiting import MOST_AHEAD
from bus.models import Workers

from .peer_text import escape_line

_LINE_CHARACTERS: Final = 120
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def seconds_since(moment: datetime) -> int:
    """Whole seconds by this machine's clock, never less than none: it is for reading only."""
    return max(0, round((datetime.now(UTC) - moment).total_seconds()))


def ago(moment: datetime) -> str:
    """`40 s ago`, `5 min ago`, `3 h ago`, `2 d ago`."""
    seconds = seconds_since(moment)
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def line(message: Message) -> str:
    """`claimed by build-2 40 s ago: 3/7 compiling`; one line, what others wrote in it escaped and cut."""
    if message.state is not None and message.state.final:
        return f"finished: {message.state.value}"
    if message.hold is not None:
        return _held(message)
    if message.state is State.DELAYED and message.available_at is not None:
        return f"delayed until {message.available_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"waiting behind {behind(message.ahead)}" if message.ahead else "waiting, next in line"


def behind(ahead: int) -> str:
    """`3`, or `50 or more` where nobody counts further."""
    return f"{ahead} or more" if ahead >= MOST_AHEAD else str(ahead)


def _held(message: Message) -> str:
    hold = message.hold
    assert hold is not None  # noqa: S101 - the caller has looked; this is for the type checker
    if message.state is State.INPUT_REQUIRED and message.questions:
        return f"{_short(hold.actor)} asks: {_short(message.questions[-1].text)}"
    claimed = f"claimed by {_short(hold.actor)} {ago(hold.claimed_at)}"
    said = f"{claimed}: {_short(hold.progress.note)}" if hold.progress else claimed
    return f"{said} (untouched for half an hour)" if hold.stale else said


def _short(text: str) -> str:
    shown = escape_line(text)
    return shown if len(shown) <= _LINE_CHARACTERS else f"{shown[:_LINE_CHARACTERS]}…"


def who_works(workers: Workers) -> str:
    """`2 agents wait for tasks here, 3 worked here in the last 15 minutes`; plainly so when nobody ever did."""
    if workers.last_seen_at is None:
        return "no agent ever worked on this channel (30 days back): the task waits until one does"
    if not workers.recent and not workers.waiting:
        return f"nobody waits for tasks here now; an agent was last seen {ago(workers.last_seen_at)}"
    waiting = {0: "no agent waits", 1: "1 agent waits"}.get(workers.waiting, f"{workers.waiting} agents wait")
    return f"{waiting} for tasks here now, {workers.recent} worked here in the last 15 minutes"
