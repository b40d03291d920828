"""When awaiting tasks has come to its end: one rule, whatever the wiring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from .models import Message, State

Need = Literal["all", "any"]
MOST: Final = 50
"""Tasks that one call awaits."""
MOST_AHEAD: Final = 50
"""So far are the tasks before a waiting one counted."""


def finished(message: Message) -> bool:
    """Whether nothing more will come of it: it has its outcome, or is a broadcast's message, which never has one."""
    return message.state is None or message.state.final


def asks(messages: Iterable[Message]) -> bool:
    """Whether the holder of one waits for an answer."""
    return any(message.state is State.INPUT_REQUIRED for message in messages)


def reached(messages: Sequence[Message], need: Need = "all") -> bool:
    """Whether those that were needed, all or any, are finished."""
    return (all if need == "all" else any)(map(finished, messages))


def enough(messages: Sequence[Message], need: Need = "all") -> bool:
    """Whether the wait ends: what was needed is reached, or a holder asks something that its work hangs on."""
    return reached(messages, need) or asks(messages)
