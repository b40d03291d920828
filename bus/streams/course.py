"""The course of a task as scripts reply it: how far its holder is, what was asked and answered, what it was posted for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..models import Chain, Progress, Question
from .moments import moment

CHAIN: Final = "_chain"
HOP: Final = "_hop"


@dataclass(frozen=True, slots=True)
class Course:
    progress: Progress | None = None
    questions: Sequence[Question] = ()
    stale: bool = False

    @classmethod
    def read(cls, course: str, progress: str, *, visible: bool) -> Course:
        """From the JSON of lib/row.lua. What is free text is for those who may see the result."""
        if not course and not progress:
            return _NOTHING
        kept: Mapping[str, Any] = json.loads(course) if course else {}
        if not visible:
            return cls(stale=bool(kept.get("stale")))
        said: Mapping[str, Any] = json.loads(progress) if progress else {}
        noted = Progress(said["note"], moment(said["at"])) if said.get("note") else None
        return cls(noted, tuple(_question(each) for each in kept.get("talk") or ()), bool(kept.get("stale")))


_NOTHING: Final = Course()


def _question(kept: Mapping[str, Any]) -> Question:
    key_id, _, actor = kept["by"].partition("/")
    answered = kept.get("a_at")
    return Question(
        text=kept["q"],
        actor=actor,
        key_id=key_id,
        asked_at=moment(kept["at"]),
        answer=kept.get("a"),
        answered_by=kept.get("a_by"),
        answered_by_key_id=kept.get("a_key"),
        answered_at=moment(answered) if answered else None,
    )


def chain_of(message_id: str, fields: Mapping[str, str]) -> Chain | None:
    """The chain that an entry's fields tell of; a task that tells of none is the first of its own."""
    if not fields:
        return None
    hops = fields.get(HOP, "")
    return Chain(fields[CHAIN], int(hops)) if CHAIN in fields and hops.isdecimal() else Chain(message_id, 0)
