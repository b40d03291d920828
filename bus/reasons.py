"""Why an answer is empty, in words: an agent that only hears "none" asks again and again."""

from __future__ import annotations

from collections.abc import Sequence

from .channels import Channels
from .models import Caller, Counts


async def nothing_to_claim(channels: Channels, caller: Caller, names: Sequence[str]) -> str:
    """`no task waiting on writers (3 in flight, 1 delayed until …)`, a clause for each channel."""
    return "; ".join([_nothing_waits(name, await channels.counts(caller, name)) for name in names])


def _nothing_waits(name: str, counts: Counts) -> str:
    if counts.waiting:  # posted between the claim and the count
        return f"{name}: {counts.waiting} waiting now, claim again"
    parts = [f"{counts.in_flight} in flight"] if counts.in_flight else []
    if counts.delayed:
        # With tasks in flight the next moment may be the end of a lease, which its holder is likely to renew.
        known = counts.next_available_at and not counts.in_flight
        until = f" until {counts.next_available_at:%Y-%m-%dT%H:%M:%SZ}" if known else ""
        parts.append(f"{counts.delayed} delayed{until}")
    if counts.dead:
        parts.append(f"{counts.dead} dead")
    return f"no task waiting on {name} ({', '.join(parts) or 'nothing in flight, nothing delayed'})"


async def nothing_new(channels: Channels, caller: Caller, name: str, since: str | None) -> str:
    """`nothing after that cursor on news (12 messages kept)`."""
    counts = await channels.counts(caller, name)
    if not counts.total:
        return f"{name} is empty"
    kept = f"{counts.total} message{'' if counts.total == 1 else 's'} kept"
    return f"nothing {'new' if since in (None, '', '0') else 'after that cursor'} on {name} ({kept})"
