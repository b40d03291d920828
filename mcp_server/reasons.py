"""Why an answer is empty, in words: an agent that only hears "none" asks again and again."""

from __future__ import annotations

from datetime import datetime

from bus import Caller
from bus.bus import Bus
from bus.models import Counts


async def nothing_waiting(bus: Bus, caller: Caller, channels: list[str]) -> str:
    """`no task waiting on writers (3 in flight, 1 delayed until …)`, for each channel."""
    return "; ".join([_nothing_waiting(channel, await bus.channels.counts(caller, channel)) for channel in channels])


def _nothing_waiting(channel: str, counts: Counts) -> str:
    parts = [f"{counts.in_flight} in flight"] if counts.in_flight else []
    if counts.delayed:
        # With tasks in flight the next moment may be the end of a lease, which its holder is likely to renew.
        until = f" until {_short(counts.next_available_at)}" if counts.next_available_at and not counts.in_flight else ""
        parts.append(f"{counts.delayed} delayed{until}")
    if counts.dead:
        parts.append(f"{counts.dead} dead letters")
    if counts.waiting:  # posted between the claim and the count
        return f"{channel}: {counts.waiting} waiting now"
    return f"no task waiting on {channel} ({', '.join(parts) or 'nothing in flight, nothing delayed'})"


async def nothing_new(bus: Bus, caller: Caller, channel: str, since: str | None) -> str:
    """`nothing after that cursor on news (12 messages kept)`."""
    counts = await bus.channels.counts(caller, channel)
    if not counts.total:
        return f"{channel} is empty"
    return f"nothing {'new' if since in (None, '', '0') else 'after that cursor'} on {channel} ({counts.total} messages kept)"


def _short(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
