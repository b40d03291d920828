"""Reads the history of a run and says what of the bus's promises was broken in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .history import Event

CHANGES: Final = ("post", "claim", "heartbeat", "release", "fail", "ack")
_KEPT: Final = {"post": "posted", "claim": "claims", "heartbeat": "renewals", "ack": "acks", "await": "told"}
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when (wall seconds) a fault may have undone what had been acknowledged."""

    start: float
    end: float


@dataclass
class Task:
    """All that is known of one message id."""

    id: str
    touched: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """When calls that changed it began and were acknowledged (wall seconds)."""
    posted: list[Facts] = field(default_factory=list[Facts])
    claims: list[Facts] = field(default_factory=list[Facts])
    renewals: list[Facts] = field(default_factory=list[Facts])
    let_go: list[Facts] = field(default_factory=list[Facts])
    acks: list[Facts] = field(default_factory=list[Facts])
    acks_begun: list[Facts] = field(default_factory=list[Facts])
    told: list[Facts] = field(default_factory=list[Facts])
    gone: bool = False
    final: Facts | None = None

    def excused(self, windows: Sequence[Window]) -> bool:
        return any(begun <= w.end and ended >= w.start for begun, ended in self.touched for w in windows)


@dataclass(frozen=True)
class Report:
    """`broken`: each promise that was broken, in words. `undone`: tasks that a fault which may lose something touched and
    that are gone, or have two outcomes, or two holders; they are not among `broken`."""

    broken: list[str]
    tasks: int
    deliveries: int
    unanswered_calls: int
    undone: int


def check(events: Sequence[Event], windows: Sequence[Window] = ()) -> Report:
    """`windows`: what the fault allows; none: nothing acknowledged may be lost."""
    tasks = _tasks(events)
    broken: list[str] = [*_torn(events), *_counts(events), *_posted_twice(events, tasks, windows), *_order(tasks, windows)]
    numbers = {event.facts["number"] for event in events if event.op == "post"}
    undone = 0
    for task in tasks.values():
        found = [*_kept(task), *_holders(task), *_outcome(task), *_told(task), *_invented(task, numbers)]
        if not task.excused(windows):
            broken += [f"{task.id}: {what}" for what in found]
        elif found:
            undone += 1
    return Report(
        broken=broken,
        tasks=sum(bool(task.posted) for task in tasks.values()),
        deliveries=sum(len(task.claims) for task in tasks.values()),
        unanswered_calls=sum(event.at == "unknown" for event in events),
        undone=undone,
    )


def _tasks(events: Iterable[Event]) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    begun: dict[tuple[str, int], Event] = {}
    for event in events:
        facts = event.facts
        if event.at == "begin":
            begun[event.process, event.call] = event
        message_id = facts.get("id")
        if not message_id:
            continue
        task = tasks.setdefault(message_id, Task(message_id))
        if event.op == "ack" and event.at == "begin":
            task.acks_begun.append(facts)
        elif event.op in ("release", "fail") and event.at == "begin":  # one that was never answered may have been done
            task.let_go.append(facts)
        elif event.op in ("gone", "final"):
            task.gone = task.gone or event.op == "gone"
            task.final = facts if event.op == "final" else task.final
        elif event.at == "ok":
            if event.op in CHANGES:
                start = begun.get((event.process, event.call), event)
                task.touched.append((start.wall, event.wall))
            if event.op in _KEPT:
                getattr(task, _KEPT[event.op]).append(facts)
    return tasks


def _torn(events: Iterable[Event]) -> Iterator[str]:
    open_calls: dict[tuple[str, int], Event] = {}
    for event in events:
        place = (event.process, event.call)
        if event.at == "begin":
            open_calls[place] = event
        elif event.at != "note" and open_calls.pop(place, None) is None:
            yield f"the history of {event.process} ends call {event.call}, which never began, or ended before"


def _counts(events: Iterable[Event]) -> Iterator[str]:
    counts = [event.facts for event in events if event.op == "counts"]
    if not counts:
        yield "nobody counted what is left at the end"
        return
    for state, count in counts[-1].items():
        if count:
            yield f"{count} tasks are counted as {state} at the end, though everything is finished"


def _posted_twice(events: Iterable[Event], tasks: dict[str, Task], windows: Sequence[Window]) -> Iterator[str]:
    """One idempotency key, one task: among those that were acknowledged, and those that were only seen."""
    ids: dict[int, set[str]] = defaultdict(set)
    for event in events:
        if event.at == "ok" and event.op in ("post", "claim") and event.facts.get("id"):
            ids[event.facts["number"]].add(event.facts["id"])
    for number, found in ids.items():
        if len(found) > 1 and not any(tasks[each].excused(windows) for each in found):
            yield f"task number {number} was posted once and exists as {', '.join(sorted(found))}"


def _order(tasks: dict[str, Task], windows: Sequence[Window]) -> Iterator[str]:
    """First deliveries, in the order of the store's clock, are in posting order."""
    first = [(claim["claimed_at"], _place(task.id)) for task in tasks.values() if not task.excused(windows)
             for claim in task.claims if claim["delivery"] == 1]  # fmt: skip
    newest, newest_at = (0, 0), 0
    for claimed_at, place in sorted(first):
        if place < newest and claimed_at > newest_at:
            yield f"a task posted at {place} was first handed out after one posted at {newest}"
        if place > newest:
            newest, newest_at = place, claimed_at


def _place(message_id: str) -> tuple[int, int]:
    ms, _, seq = message_id.rpartition(":")[2].partition("-")
    return int(ms), int(seq)


def _kept(task: Task) -> Iterator[str]:
    if task.posted and (task.final is None or task.final["state"] == "missing"):
        yield "its post was acknowledged, and it is lost"
    elif task.posted and task.final is not None and task.final["state"] != "done":
        yield f"it was left {task.final['state']} at the end"


def _holders(task: Task) -> Iterator[str]:
    """Who held it from when to when, by the store's clock: until the lease ended, or until it was finished or given back."""
    by_delivery: dict[int, Facts] = {}
    for claim in task.claims:
        other = by_delivery.setdefault(claim["delivery"], claim)
        if other["actor"] != claim["actor"]:
            yield f"delivery {claim['delivery']} went to both {other['actor']} and {claim['actor']}"
    ended_early = {(facts["delivery"], facts["actor"]) for facts in task.let_go}
    finished = {(facts["delivery"], facts["actor"]): facts["finished_at"] for facts in task.acks}
    before: Facts | None = None
    for claim in sorted(task.claims, key=lambda each: (each["claimed_at"], each["delivery"])):
        if before is not None:
            holder = (before["delivery"], before["actor"])
            renewed = [r["lease_until"] for r in task.renewals if (r["delivery"], r["actor"]) == holder]
            until = max([before["lease_until"], *renewed])
            if claim["delivery"] <= before["delivery"]:
                yield f"delivery {claim['delivery']} came after delivery {before['delivery']}"
            elif holder not in ended_early and (early_ms := until - claim["claimed_at"]) > 0 and holder not in finished:
                yield f"{claim['actor']} was given it {early_ms} ms before the lease of {before['actor']} ended"
            if holder in finished:
                when = "after" if finished[holder] <= claim["claimed_at"] else "before"
                yield f"{claim['actor']} was given it {when} {before['actor']} finished it, whose ack was accepted"
        before = claim


def _outcome(task: Task) -> Iterator[str]:
    accepted = {(facts["delivery"], facts["actor"]) for facts in task.acks}
    if len(accepted) > 1:
        yield f"{len(accepted)} outcomes were accepted"
    if sum(not facts["repeated"] for facts in task.acks) > 1:
        yield "an ack was accepted a second time as if it were the first"
    begun = {(facts["delivery"], facts["actor"]) for facts in task.acks_begun}
    held = {(claim["delivery"], claim["actor"]) for claim in task.claims}
    for delivery, actor in accepted - held:
        yield f"the ack of {actor} was accepted, who never held delivery {delivery}"
    if task.final is not None and task.final["state"] == "done":
        ended_by = (task.final["delivery"], task.final["actor"])
        if accepted and ended_by not in accepted:
            yield f"its outcome is by {ended_by}, and another's ack was accepted"
        if ended_by not in begun:
            yield f"its outcome is by {ended_by}, who never tried to finish it"
        result = task.final["result"] or {}
        if (result.get("delivery"), result.get("actor")) != ended_by:
            yield "its result is another's than its outcome"


def _told(task: Task) -> Iterator[str]:
    answers = [facts for facts in task.told if facts["told"]]
    if task.posted and not answers:
        yield "who awaited it was never answered" + (", but told that there is no such message" if task.gone else "")
    for answer in answers:
        if task.final is not None and any(
            answer.get(name) != task.final.get(name) for name in ("state", "actor", "delivery", "result", "finished_at")
        ):
            yield "who awaited it was told another outcome than it has"


def _invented(task: Task, numbers: set[int]) -> Iterator[str]:
    """What was never posted is handed out to nobody; what was is handed out with its own content."""
    posted = {facts["number"] for facts in task.posted}
    for claim in task.claims:
        if claim["number"] not in (posted or numbers):
            yield f"it was handed out with the content {claim['number']}, which is not what was posted"
    result = (task.final or {}).get("result")
    if result and result["number"] not in (posted or numbers):
        yield f"its result is of task number {result['number']}"
