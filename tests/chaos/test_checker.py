"""The checker sees what it is there to see: each way to break a promise, written into a history that is good otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from .broken_histories import BREAKS, Break, Tale, good, lost, two_holders, two_outcomes
from .checker import Window, check
from .history import BrokenHistory, History, read


def test_a_good_history_passes() -> None:
    """What a fault may do to a client breaks no promise: lost leases, calls without an answer, repeated acks."""
    tale = Tale()
    good(tale)
    report = tale.report()
    assert report.broken == []
    assert (report.tasks, report.deliveries, report.unanswered_calls) == (3, 5, 2)


@pytest.mark.parametrize("spoil", BREAKS, ids=lambda spoil: spoil.__name__)
def test_a_broken_promise_is_found(spoil: Break) -> None:
    """Each is found by its own name, in the middle of what is good."""
    tale = Tale()
    good(tale)
    spoil(tale)
    assert BREAKS[spoil] in "\n".join(tale.report().broken)


def test_what_is_left_over_is_found() -> None:
    """Counts are exact: nothing is counted as waiting when all is finished. Nor may nobody count."""
    tale = Tale()
    good(tale)
    assert "1 tasks are counted as waiting" in "\n".join(tale.report(waiting=1).broken)
    assert check(tale.events[:-1]).broken == ["nobody counted what is left at the end"]


@pytest.mark.parametrize("spoil", [lost, two_holders, two_outcomes], ids=lambda spoil: spoil.__name__)
def test_what_a_fault_may_undo_is_excused_and_counted(spoil: Break) -> None:
    """Only what was acknowledged within the window: the same outside of it stays broken."""
    tale = Tale()
    good(tale)
    before = tale.now / 1000 + 0.6
    spoil(tale)
    report = tale.report(Window(before, tale.now / 1000 + 1))
    assert report.broken == []
    assert report.undone == 1
    assert tale.report(Window(0, before)).broken, "a window that ended before"


def test_a_line_torn_by_a_kill_is_left_out_and_no_other(tmp_path: Path) -> None:
    """The history of a process that was killed in the middle of a line reads up to it; rubbish elsewhere is told."""
    history = History(tmp_path, "ann")
    call = history.begin("ack", id="chaos:1-0")
    history.end(call, "ack", "ok", id="chaos:1-0")
    history.close()
    path = tmp_path / "ann.jsonl"
    with path.open("ab") as file:
        file.write(b'["ann",2,"cl')
    assert [(event.op, event.at) for event in read(tmp_path)] == [("ack", "begin"), ("ack", "ok")]
    with path.open("ab") as file:
        file.write(b"\n[]\n")
    with pytest.raises(BrokenHistory):
        read(tmp_path)
