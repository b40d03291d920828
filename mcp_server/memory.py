"""What an agent's session remembers between its calls, whichever transport they come by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bus import Bus, Claim, Message
from bus.models import Chain

from .notebook import Notebook
from .who import Who


class Memory(Protocol):
    """Over stdio it is the process's Session, over streamable HTTP what the bus keeps for the caller (Kept).

    It remembers, it entitles to nothing: whoever acts on a task still shows its claim token, or is its holder.
    """

    notebook: Notebook

    def hold(self, claim: Claim, who: Who, lease: timedelta | None = None) -> None:
        """The agent holds this task, and has just done something about it. `lease`: what was asked for, None: as before."""
        ...

    def drop(self, message_id: str) -> None:
        """The task is finished or given back."""
        self.notebook.drop(message_id)

    def note_posted(self, message_id: str) -> None:
        """Its outcome is this agent's business."""
        self.notebook.note_posted(message_id)

    def note_worked(self, channels: Sequence[str]) -> None:
        """Tasks on these channels are this agent's business."""
        ...

    def seen(self, message: Message) -> None:
        """The answer that is being made shows this message as it stands, so nothing of it is news."""
        self.notebook.seen(message)

    def chain(self, actor: str | None = None) -> Chain | None:
        """The chain of the task that the agent works on, which what it posts now belongs to; None when it works on none.
        `actor`: the name it posts under; where agents share a memory, it tells whose task is meant."""
        ...

    async def look(self, bus: Bus) -> None:
        """Bring the notebook up to date, if it is time for that. What the bus refuses is left as it was."""
        ...
