"""Why an answer is empty, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bus.channels import Channels
from bus.models import Caller, Counts

from .shapes import stamp


async def why_empty(channels: Channels, caller: Caller, names: Sequence[str]) -> str:
    """Why there was nothing to claim: a clause per channel, from its counts."""
    return "; ".join([why_nothing_waits(name, await channels.counts(caller, name)) for name in names])


def why_nothing_waits(name: str, counts: Counts) -> str:
    """`no task waiting on writers (3 in flight, 1 delayed until …)`."""
    until = "" if counts.next_available_at is None else stamp(counts.next_available_at)
    parts: list[str] = []
    if counts.in_flight:
        parts.append(f"{counts.in_flight} in flight")
    if counts.delayed:
        parts.append(f"{counts.delayed} delayed" + (f" until {until}" if until and not counts.in_flight else ""))
    if counts.in_flight and until:
        parts.append(f"the next one is free by {until}")
    if counts.dead:
        parts.append(f"{counts.dead} dead")
    return f"no task waiting on {name}" + (f" ({', '.join(parts)})" if parts else "")
