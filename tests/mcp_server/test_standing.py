"""Where an unfinished task stands, in words and in fields; each state has its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bus import Message, State
from bus.models import Hold, Outcome, Progress, Question
from mcp_server.outcomes import Awaited
from mcp_server.peer_text import readable
from mcp_server.standing import line

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TASK = Message("writers:1-0", "writers", "x", {}, LONG_AGO, LONG_AGO, state=State.WAITING)


def held(**changes: Any) -> Message:
    """A task that build-2 claimed five minutes ago."""
    now = datetime.now(UTC)
    hold = Hold("build-2", "bck_1", 1, now - timedelta(minutes=5, seconds=2), now + timedelta(seconds=60))
    return replace(TASK, state=State.IN_FLIGHT, deliveries=1, hold=replace(hold, **changes))


def noted(note: str) -> Message:
    return held(progress=Progress(note, LONG_AGO))


def test_a_line_says_where_a_task_stands() -> None:
    """Behind how many, until when, with whom and since when, how far, what is asked."""
    assert line(TASK) == "waiting, next in line"
    assert line(replace(TASK, ahead=0)) == "waiting, next in line"
    assert line(replace(TASK, ahead=3)) == "waiting behind 3"
    assert line(replace(TASK, ahead=50)) == "waiting behind 50 or more"
    later = replace(TASK, state=State.DELAYED, available_at=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert line(later) == "delayed until 2030-01-02T03:04:05Z"
    assert line(held()) == "claimed by build-2 5 min ago"
    assert line(noted("3/7 compiling")) == "claimed by build-2 5 min ago: 3/7 compiling"
    assert line(held(stale=True)) == "claimed by build-2 5 min ago (untouched for half an hour)"
    asked = Question("Which?", "build-2", "bck_1", LONG_AGO)
    asking = replace(held(), state=State.INPUT_REQUIRED, questions=[asked])
    assert line(asking) == "build-2 asks: Which?"
    done = replace(TASK, state=State.DONE, outcome=Outcome(State.DONE, "x", None, "bob", "bck_1", 1, LONG_AGO, LONG_AGO))
    assert line(done) == "finished: done"


def test_what_others_wrote_cannot_break_the_line_nor_fill_it() -> None:
    """Line ends and unseen characters are shown, and what is long is cut."""
    assert line(noted("a\n\u202eb")).endswith(r"ago: a\u000a\u202eb")
    said = line(noted("x" * 500)).partition(": ")[2]
    assert (len(said), said[-2:]) == (121, "x…")
    assert len(line(held(actor="n" * 200))) < 160


def test_a_stale_holder_and_a_cancel_on_its_way_are_told() -> None:
    """The poster knows whether waiting is worth it."""
    stale = readable(Awaited.of(held(stale=True, cancel_requested=True), next="x"))
    assert stale["holder"]["stale"] is stale["holder"]["cancel_requested"] is True
    assert "perhaps it forgot it" in stale["note"]
    fresh = readable(Awaited.of(held(), next="x"))
    assert not {"stale", "cancel_requested", "progress"} & fresh["holder"].keys()
    assert "note" not in fresh
    assert 300 <= fresh["holder"]["held_seconds"] < 320
