"""Actors: the names under which agents act. A name belongs to the first API key that used it.

When that key was revoked, its names pass to the next key of its label, name by name as it uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .models import Actor, Caller, Mention, Page


class Actors(Protocol):
    async def create(
        self, caller: Caller, name: str, *, description: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Actor:
        """Make the name the caller's. When it is already (an alias of its own too), what is given replaces what was said.

        Raises ActorForbidden (another key's), InvalidInput, ContentTooLarge.
        """
        ...

    async def add_alias(self, caller: Caller, name: str, alias: str) -> Actor:
        """Another name for an actor of the caller's, for good; it stands for the actor wherever one is named. An actor has
        at most 20. Repeating it changes nothing.

        Raises ActorNotFound, ActorForbidden (another key's), AliasConflict (an actor, or another's alias), InvalidInput.
        """
        ...

    async def get(self, caller: Caller, name: str) -> Actor:
        """The actor of that name or alias, whosever it is. Raises ActorNotFound."""
        ...

    async def mentions(self, caller: Caller, name: str, *, since: str | None = None, limit: int = 50) -> Page[Mention]:
        """Where an actor of the caller's was mentioned, oldest first, 1..100 a page, after the cursor `since`; of the last
        100 mentions of the last 7 days. They are there within moments of the post, at least once each. Those on channels that
        the API key may not enter (any more) are left out; a message that is gone by now says so when it is read.
        `next_cursor` repeats `since` when there is nothing after it.

        Raises ActorForbidden (another key's), ActorNotFound, InvalidInput, InsufficientScope (messages:read).
        """
        ...
