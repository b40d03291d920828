"""Histories of runs that never were: a good one, and one for each way to break a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .checker import Report, Window, check
from .history import Event

LEASE_MS = 2000
Break = Callable[["Tale"], None]


class Tale:
    """A history in the making: each step a second after the one before, the store's clock in ms."""

    def __init__(self) -> None:
        self.now = 0
        self.events: list[Event] = []
        self.calls = 0

    def call(self, process: str, op: str, begun: dict[str, Any], ended: dict[str, Any], at: Any = "ok") -> None:
        self.calls += 1
        self.now += 1000
        moment = self.now / 1000
        self.events.append(Event(process, self.calls, op, "begin", moment, moment, begun))
        self.events.append(Event(process, self.calls, op, at, moment + 0.5, moment + 0.5, {**begun, **ended}))

    def note(self, op: str, **facts: Any) -> None:
        self.calls += 1
        self.events.append(Event("auditor", self.calls, op, "note", self.now / 1000, self.now / 1000, facts))

    def post(self, number: int, *, of: int | None = None) -> str:
        message_id = f"chaos:{1000 + (of or number)}-0"
        self.call("poster", "post", {"number": number}, {"id": message_id})
        return message_id

    def claim(self, of: str, actor: str, delivery: int, *, number: int, later_ms: int = 0) -> None:
        self.now += later_ms
        at = self.now + 1000
        held = {"id": of, "number": number, "delivery": delivery, "claimed_at": at, "lease_until": at + LEASE_MS}
        self.call(actor, "claim", {"actor": actor}, held)

    def ack(self, of: str, actor: str, delivery: int, *, repeated: bool = False) -> None:
        held = {"id": of, "actor": actor, "delivery": delivery}
        self.call(actor, "ack", held, {"repeated": repeated, "finished_at": self.now + 1000})

    def end(self, of: str, actor: str, delivery: int, *, number: int, finished_at: int | None = None) -> None:
        """Awaited, and found so at the end."""
        outcome = {
            "state": "done", "actor": actor, "delivery": delivery, "finished_at": finished_at or self.now,
            "result": {"actor": actor, "delivery": delivery, "number": number},
        }  # fmt: skip
        self.call("awaiter", "await", {"id": of}, {"told": True, **outcome})
        self.note("final", id=of, **outcome)

    def whole(self, number: int, *, then: Break | None = None) -> str:
        of = self.post(number)
        self.claim(of, "ann", 1, number=number)
        self.ack(of, "ann", 1)
        if then is not None:
            then(self)
        self.end(of, "ann", 1, number=number, finished_at=None if then is None else self.events[-1].facts.get("finished_at"))
        return of

    def report(self, *windows: Window, waiting: int = 0) -> Report:
        self.note("counts", waiting=waiting, delayed=0, in_flight=0, dead=0)
        return check(self.events, windows)


def good(tale: Tale) -> None:
    """Everything that may happen: a plain task, a lease that ran out, one given back, an ack without an answer."""
    tale.whole(1)
    lost = tale.post(2)
    tale.claim(lost, "ann", 1, number=2)
    tale.claim(lost, "bob", 2, number=2, later_ms=LEASE_MS)
    tale.call("ann", "ack", {"id": lost, "actor": "ann", "delivery": 1}, {"code": "lease_lost"}, "refused")
    tale.ack(lost, "bob", 2)
    tale.end(lost, "bob", 2, number=2)
    back = tale.post(3)
    tale.claim(back, "ann", 1, number=3)
    tale.call("ann", "release", {"id": back, "actor": "ann", "delivery": 1}, {}, "unknown")
    tale.claim(back, "bob", 2, number=3)
    tale.call("bob", "ack", {"id": back, "actor": "bob", "delivery": 2}, {}, "unknown")
    tale.ack(back, "bob", 2, repeated=True)
    tale.end(back, "bob", 2, number=3)


def lost(tale: Tale) -> None:
    of = tale.whole(4)
    tale.note("final", id=of, state="missing")


def left_waiting(tale: Tale) -> None:
    of = tale.post(4)
    tale.call("awaiter", "await", {"id": of}, {"told": True, "state": "waiting"})
    tale.note("final", id=of, state="waiting")


def never_looked_for(tale: Tale) -> None:
    of = tale.post(4)
    tale.call("awaiter", "await", {"id": of}, {"told": True, "state": "done"})


def posted_twice(tale: Tale) -> None:
    tale.whole(4)
    again = tale.post(4, of=5)
    tale.claim(again, "bob", 1, number=4)
    tale.ack(again, "bob", 1)
    tale.end(again, "bob", 1, number=4)


def two_holders(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.claim(of, "bob", 2, number=4)
    tale.ack(of, "bob", 2)
    tale.end(of, "bob", 2, number=4)


def taken_while_renewed(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    held = {"id": of, "actor": "ann", "delivery": 1}
    tale.call("ann", "heartbeat", held, {"lease_until": tale.now + 60_000})
    tale.claim(of, "bob", 2, number=4, later_ms=10_000)
    tale.ack(of, "bob", 2)
    tale.end(of, "bob", 2, number=4)


def one_delivery_for_two(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.claim(of, "bob", 1, number=4, later_ms=LEASE_MS)
    tale.ack(of, "bob", 1)
    tale.end(of, "bob", 1, number=4)


def delivery_backwards(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 2, number=4)
    tale.claim(of, "bob", 1, number=4, later_ms=LEASE_MS)
    tale.ack(of, "bob", 1)
    tale.end(of, "bob", 1, number=4)


def two_outcomes(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.claim(of, "bob", 2, number=4, later_ms=LEASE_MS)
    tale.ack(of, "ann", 1)
    tale.ack(of, "bob", 2)
    tale.end(of, "bob", 2, number=4)


def accepted_twice(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.ack(of, "ann", 1)
    tale.ack(of, "ann", 1)
    tale.end(of, "ann", 1, number=4)


def late_ack_accepted(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.claim(of, "bob", 2, number=4, later_ms=LEASE_MS)
    tale.ack(of, "ann", 1)
    tale.end(of, "ann", 1, number=4)


def handed_out_when_done(tale: Tale) -> None:
    of = tale.whole(4)
    tale.claim(of, "bob", 2, number=4, later_ms=LEASE_MS)


def stranger_finishes(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.ack(of, "eve", 1)
    tale.end(of, "eve", 1, number=4)


def outcome_of_nobody(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.end(of, "ann", 1, number=4)


def outcome_of_another(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=4)
    tale.ack(of, "ann", 1)
    tale.end(of, "bob", 2, number=4)


def never_answered(tale: Tale) -> None:
    of = tale.whole(4)
    tale.events = [e for e in tale.events if not (e.op == "await" and e.facts.get("id") == of)]


def told_otherwise(tale: Tale) -> None:
    of = tale.whole(4)
    tale.call("awaiter", "await", {"id": of}, {"told": True, "state": "failed", "actor": "ann", "delivery": 1})


def told_that_it_is_gone(tale: Tale) -> None:
    of = tale.post(4)
    tale.note("gone", id=of)
    tale.note("final", id=of, state="missing")


def invented(tale: Tale) -> None:
    tale.claim("chaos:9000-0", "ann", 1, number=99)


def another_content(tale: Tale) -> None:
    of = tale.post(4)
    tale.claim(of, "ann", 1, number=2)
    tale.ack(of, "ann", 1)
    tale.end(of, "ann", 1, number=4)


def out_of_order(tale: Tale) -> None:
    later, sooner = tale.post(5), tale.post(4)
    for number, of in ((5, later), (4, sooner)):
        tale.claim(of, "ann", 1, number=number)
        tale.ack(of, "ann", 1)
        tale.end(of, "ann", 1, number=number)


def ended_without_beginning(tale: Tale) -> None:
    tale.events.append(Event("ann", 999, "heartbeat", "ok", 1, 1, {"id": None}))


BREAKS: dict[Break, str] = {
    lost: "it is lost",
    left_waiting: "it was left waiting",
    never_looked_for: "it is lost",
    posted_twice: "was posted once and exists as",
    two_holders: "before the lease of ann ended",
    taken_while_renewed: "before the lease of ann ended",
    one_delivery_for_two: "went to both",
    delivery_backwards: "came after delivery 2",
    two_outcomes: "2 outcomes were accepted",
    accepted_twice: "a second time",
    late_ack_accepted: "before ann finished it",
    handed_out_when_done: "after ann finished it",
    stranger_finishes: "who never held",
    outcome_of_nobody: "who never tried to finish it",
    outcome_of_another: "another's ack was accepted",
    never_answered: "never answered",
    told_otherwise: "told another outcome",
    told_that_it_is_gone: "no such message",
    invented: "not what was posted",
    another_content: "not what was posted",
    out_of_order: "first handed out after",
    ended_without_beginning: "never began",
}
