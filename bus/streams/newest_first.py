"""Pages of a sorted set whose scores are times, newest first: a cursor says where to go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import names
from ..errors import InvalidInput
from ..store import Store

_OURS = re.compile(r"(?P<ms>[0-9]{1,18})\.(?P<skip>[0-9]{1,9})")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """`most`: the score of the newest to show, as ZRANGE takes it; `skip`: how many of that score were shown before."""

    most: str
    skip: int

    async def page(self, store: Store, redis_key: str, limit: int) -> tuple[list[tuple[str, int]], str | None]:
        """Members with their scores, and the cursor that goes on after them; None when there were fewer than asked for."""
        found: list[Any] = await store.command(
            "ZRANGE", redis_key, self.most, "-inf", "BYSCORE", "REV", "LIMIT", self.skip, limit, "WITHSCORES"
        )
        scores = [int(float(score)) for score in found[1::2]]
        return list(zip(found[::2], scores, strict=True)), self._next(scores) if len(scores) == limit else None

    def _next(self, scores: Sequence[int]) -> str:
        last = scores[-1]
        return f"{last}.{scores.count(last) + (self.skip if self.most == str(last) else 0)}"


def position(cursor: str | None) -> Position:
    """Where a cursor points to: one of ours, None, '' or '0' for the beginning, or an ISO 8601 timestamp for what was
    before it. Raises InvalidInput.
    """
    if cursor is None or cursor in ("", "0"):
        return Position("+inf", 0)
    if ours := _OURS.fullmatch(cursor):
        return Position(ours["ms"], int(ours["skip"]))
    if moment := names.timestamp(cursor):
        ms, rest = divmod(moment - _EPOCH, timedelta(milliseconds=1))
        return Position(str(ms) if rest else f"({ms}", 0)
    raise InvalidInput(
        "cursor must be the next_cursor of an earlier page, '0', or an ISO 8601 timestamp",
        field="cursor",
        code="invalid_cursor",
    )
