"""What an agent is to be reminded of: losses, questions, tasks that lie, outcomes, mentions; each told once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from .notebook import IDLE_SECONDS, STALE_SECONDS, Errand, Mentions, Notebook, Work

LEFT_ALONE: Final = "left_alone"
LEASE_OVER: Final = "lease_over"
"""In place of an error's code: the session itself gave the claim up; the lease ran out and nobody has the task yet."""
_NAMED_AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True)
class News:
    """One thing that changed: a line without an end stop, the lower the more urgent, and how to note that it was told."""

    urgency: int
    line: str
    told: Callable[[], object]


def notice(notebook: Notebook, about: Collection[str] = ()) -> str | None:
    """One line on the most urgent thing that is news, noted as told, and how many more there are, which later answers
    tell; None when there is none. `about`: the messages that the answer itself is about."""
    found = news(notebook, about)
    if not found:
        return None
    found[0].told()
    return found[0].line + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")


def news(notebook: Notebook, about: Collection[str] = ()) -> Sequence[News]:
    """All that has not been told, the most urgent first."""
    found = [
        *_losses(notebook, about),
        *_questions(notebook, about),
        *_answers(notebook, about),
        *_lying(notebook, about),
        *_outcomes(notebook, about),
        *_mentioned(notebook.mentions),
    ]
    return sorted(found, key=lambda each: each.urgency)


def tasks_wait(count: int, channel: str) -> str:
    """The line on a channel where the session works. Its name is one that the session used itself."""
    tasks = "1 task waits" if count == 1 else f"{count} tasks wait"
    return f"{tasks} on {json.dumps(channel)}, where you work: claim_task takes one."


def _losses(notebook: Notebook, about: Collection[str]) -> list[News]:
    lost = notebook.lost
    return [News(0, _lost(each, code), partial(lost.pop, each, None)) for each, code in lost.items() if each not in about]


def _lost(message_id: str, code: str) -> str:
    if code == "task_cancelled":
        return f"{message_id} was called off: stop working on it"
    if code == LEFT_ALONE:
        return (
            f"{message_id} lay untouched for 4 h, so its lease is not renewed any more and another agent may get it: "
            "ack_task it now if it is done, or leave it"
        )
    if code == LEASE_OVER:
        return f"the lease of {message_id} ran out: heartbeat takes it back if nobody else has it by then; else drop it"
    return f"you no longer hold {message_id} ({code}): drop what you did for it"


def _questions(notebook: Notebook, about: Collection[str]) -> list[News]:
    return [
        News(
            1,
            f'the worker of {message_id} asks something and waits: await_result(message_id="{message_id}") returns it',
            partial(_tell, errand),
        )
        for message_id, errand in notebook.posted.items()
        if errand.news and not errand.over and message_id not in about
    ]


def _answers(notebook: Notebook, about: Collection[str]) -> list[News]:
    return [
        News(
            1,
            f'your question about {message_id} was answered: ask(message_id="{message_id}") returns the answer',
            partial(setattr, work, "question", ""),
        )
        for message_id, work in notebook.held.items()
        if work.question == "answered" and message_id not in about
    ]


def _lying(notebook: Notebook, about: Collection[str]) -> list[News]:
    found: list[News] = []
    now = notebook.now()
    for message_id, work in notebook.held.items():
        level, line = _lies(message_id, work, now)
        if level > work.reminded and not work.question and message_id not in about:
            found.append(News(2, line, partial(_remind, work, level)))
    return found


def _lies(message_id: str, work: Work, now: float) -> tuple[int, str]:
    idle, left = now - work.touched_at, work.ends - now
    stale = ", so its poster sees it as stale" if idle >= STALE_SECONDS else ""
    level = 2 if stale else 1 if idle >= IDLE_SECONDS else 0
    if not work.ends:
        return level, (
            f"you hold {message_id} and have not touched it for {idle / 60:.0f} min{stale}: ack_task, release_task, or "
            "heartbeat with progress if you are at it"
        )
    # Others may share the key, so nobody is told that it is theirs.
    then = "whoever works on it keeps it with heartbeat, or gives it back with release_task"
    if left < idle / 2:  # a third of the lease is left
        return max(level, 1), f"the lease of {message_id}, claimed with this API key, ends in {max(left, 0):.0f} s: {then}"
    return level, f"{message_id}, claimed with this API key, was not touched for {idle / 60:.0f} min{stale}: {then}"


def _outcomes(notebook: Notebook, about: Collection[str]) -> list[News]:
    over = [
        (message_id, errand)
        for message_id, errand in notebook.posted.items()
        if errand.news and errand.over and message_id not in about
    ]
    named = over[:_NAMED_AT_ONCE]
    return [News(3, _finished(named), partial(_tell, *(errand for _, errand in named)))] if named else []


def _finished(named: Sequence[tuple[str, Errand]]) -> str:
    if len(named) == 1:
        ((message_id, errand),) = named
        return f'{message_id} is {errand.found}: await_result(message_id="{message_id}") returns the outcome'
    ids = ", ".join(f'"{message_id}"' for message_id, _ in named)
    return f"{len(named)} tasks you posted are finished: await_result(message_ids=[{ids}]) returns the outcomes"


def _mentioned(mentions: Mentions) -> list[News]:
    if not mentions.untold:
        return []
    where = "in a message" if mentions.untold == 1 else f"in {mentions.untold} messages, the last of them"
    line = f'you were mentioned {where}: get_message(message_id="{mentions.latest}") shows it'
    return [News(4, line, partial(setattr, mentions, "untold", 0))]


def _tell(*errands: Errand) -> None:
    for errand in errands:
        errand.told = errand.found


def _remind(work: Work, level: int) -> None:
    work.reminded = level
