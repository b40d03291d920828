"""Actors: the names under which agents act. A name belongs to the first API key that used it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .models import Actor, Caller


class Actors(Protocol):
    async def create(
        self, caller: Caller, name: str, *, description: str = "", metadata: Mapping[str, Any] | None = None
    ) -> Actor:
        """Make the name the caller's, or return it when it is already. Raises ActorForbidden (another key's), InvalidInput."""
        ...

    async def get(self, caller: Caller, name: str) -> Actor:
        """The actor of that name, whosever it is. Raises ActorNotFound."""
        ...
