"""Part of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list. `next_cursor` reads on after it; None means there is no more (for streams: none was given either).

    `missed`: how many messages were trimmed between the caller's cursor and this page (broadcasts only).
    """

    items: Sequence[T]
    next_cursor: str | None
    missed: int = 0
