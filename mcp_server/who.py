"""In whose name a call is done."""

from __future__ import annotations

from dataclasses import dataclass

from bus import Caller


@dataclass(frozen=True, slots=True)
class Who:
    """In whose name a call is done. `actor` None: the API key's label, which the bus fills in."""

    caller: Caller
    actor: str | None
    label: str
