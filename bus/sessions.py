"""Sessions: what an API key keeps for itself between calls, for 24 h."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .models import Caller, Session


class Sessions(Protocol):
    """A key has at most 100 sessions; each state is bounded as metadata are. Another key's session is not found."""

    async def create(self, caller: Caller, name: str, *, state: Mapping[str, Any] | None = None) -> Session:
        """Raises InvalidInput, ContentTooLarge."""
        ...

    async def list(self, caller: Caller) -> Sequence[Session]:
        """The caller's sessions, newest first."""
        ...

    async def get(self, caller: Caller, session_id: str) -> Session:
        """Raises SessionNotFound."""
        ...

    async def update(self, caller: Caller, session_id: str, state: Mapping[str, Any]) -> Session:
        """Merge the top level of `state` into the session's. Raises SessionNotFound, InvalidInput, ContentTooLarge."""
        ...

    async def delete(self, caller: Caller, session_id: str) -> None:
        """Raises SessionNotFound."""
        ...
