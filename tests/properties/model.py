"""What a claimable channel should do, in plain Python: the reference that the real one is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bus import State, errors

FINISHED_KEPT, ARCHIVED_AT_ONCE = 100, 16
LOG_KEPT, TALK_KEPT = 20, 10
Verb = Literal["heartbeat", "release", "fail", "ack"]


@dataclass(frozen=True)
class Ended:
    """The one outcome of a task. `by`: consumer of an ack, key id of a cancel, None when time or failures ended it.
    `held_by`: who held it when it was cancelled."""

    state: State
    by: str | None = None
    delivery: int = 0
    result: Any = None
    held_by: str | None = None


@dataclass(frozen=True)
class Asked:
    """A question of a holder's; `answer` with the key id of who gave it."""

    text: str
    by: str
    answer: tuple[str, str] | None = None


@dataclass
class Task:
    """One task. `handed`: in somebody's hands or parked; `over`: its lease or delay is past; `expired`: its time to live is."""

    id: str
    poster: str
    expired: bool = False
    handed: bool = False
    holder: str | None = None
    over: bool = False
    delivery: int = 0
    releases: int = 0
    log: list[str] = field(default_factory=list[str])
    cancelled_by: str | None = None
    asking: bool = False
    talk: list[Asked] = field(default_factory=list[Asked])
    note: str | None = None
    outcome: Ended | None = None
    in_stream: bool = True

    @property
    def state(self) -> State:
        if self.outcome:
            return self.outcome.state
        if not self.handed or self.over:
            return State.WAITING
        if self.holder is None:
            return State.DELAYED
        return State.INPUT_REQUIRED if self.asking else State.IN_FLIGHT


class Model:
    """Every method does to the model what the verb does to the channel, and returns or raises what it should."""

    def __init__(self, owner: str, max_deliveries: int) -> None:
        self.owner = owner
        self.max_deliveries = max_deliveries
        self.tasks: dict[str, Task] = {}
        self.once: dict[tuple[str, str], tuple[object, str]] = {}
        self.letters: list[Task] = []
        self.done: list[Task] = []

    def unfinished(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.outcome is None]

    def posted_before(self, poster: str, idempotency_key: str, body: object) -> Task | None:
        """The task that this idempotency key made. Raises IdempotencyConflict."""
        before = self.once.get((poster, idempotency_key))
        if before is None:
            return None
        if before[0] != body:
            raise errors.IdempotencyConflict("another body")
        task = self.tasks[before[1]]
        self.look(task)
        return task

    def post(self, stream_id: str, poster: str, *, delayed: bool = False) -> Task:
        assert stream_id not in self.tasks, "an id was given twice"
        self.tasks[stream_id] = Task(stream_id, poster, handed=delayed)
        return self.tasks[stream_id]

    def claim(self, consumer: str, again: Sequence[str]) -> Task | None:
        """`again`: the ids whose lease or delay is over, in the order in which the channel looks at them."""
        for task in (self.tasks[stream_id] for stream_id in again):
            if not self._settle(task):
                return self._hand(task, consumer)
        for task in self.tasks.values():
            if task.outcome or task.handed:
                continue
            if not task.expired:
                return self._hand(task, consumer)
            self._bury(task, State.EXPIRED)
        return None

    def claim_one(self, consumer: str, task: Task) -> Task:
        if task.outcome:
            raise errors.AlreadyFinished("")
        if not task.handed:
            if task.expired:
                self._bury(task, State.EXPIRED)
                raise errors.MessageExpired("")
            return self._hand(task, consumer)
        if not task.over:
            if task.holder is None:
                raise errors.NotAvailableYet("")
            if task.holder != consumer:
                raise errors.AlreadyClaimed("")
            return task
        if self._settle(task):
            raise errors.MessageExpired("") if task.state is State.EXPIRED else errors.AlreadyFinished("")
        return self._hand(task, consumer)

    def act(self, verb: Verb, consumer: str, token: int | None, task: Task, **what: Any) -> None:
        """A verb on a held task; a repeated ack changes nothing."""
        if verb == "ack" and self._acked_before(consumer, token, task):
            return
        self._fence(consumer, token, task)
        if verb == "heartbeat":
            task.over = task.over and task.asking  # a parked lease stays as it is
            task.note = what["note"] or task.note
        elif verb == "release":
            task.releases += 1
            self._park(task, over=not what["delayed"])
        elif verb == "fail":
            if self._used_up(task):
                self._bury(task, State.DEAD)
            else:
                self._park(task, over=False)
        else:
            self._finish(task, Ended(what["state"], consumer, task.delivery, what["result"]))

    def ask(self, consumer: str, token: int | None, task: Task, question: str) -> None:
        self._fence(consumer, token, task)
        if task.asking and task.talk[-1].text == question:
            return
        earlier = task.talk[:-1] if task.asking else task.talk
        task.talk = [*earlier, Asked(question, consumer)][-TALK_KEPT:]
        task.asking, task.over = True, False

    def await_answer(self, consumer: str, token: int | None, task: Task) -> None:
        """Without a wait."""
        self._fence(consumer, token, task)
        if task.asking and task.over:
            raise errors.AlreadyFinished("") if self._settle(task) else errors.LeaseLost("")

    def answer(self, key_id: str, task: Task, answer: str) -> None:
        if key_id not in (task.poster, self.owner):
            raise errors.Forbidden("")
        self.look(task, unclaimed=False)
        if task.outcome:
            raise errors.AlreadyFinished("")
        last = task.talk[-1] if task.talk else None
        if task.asking and not task.over and last:
            task.talk[-1] = replace(last, answer=(answer, key_id))
            task.asking = False
        elif last is None or last.answer != (answer, key_id):
            raise errors.NotAsked("")

    def cancel(self, key_id: str, task: Task) -> None:
        if key_id not in (task.poster, self.owner):
            raise errors.Forbidden("")
        if task.outcome:
            if task.outcome.state is State.CANCELLED:
                return
            raise errors.AlreadyFinished("")
        if task.state is State.IN_FLIGHT:
            task.cancelled_by = task.cancelled_by or key_id
        else:
            self._finish(task, Ended(State.CANCELLED, key_id, task.delivery, held_by=task.holder))

    def redrive(self, key_id: str, letter: Task) -> None:
        """The new task is to be posted by whoever knows its id."""
        if key_id != self.owner:
            raise errors.Forbidden("")
        self.letters.remove(letter)

    def look(self, task: Task, *, unclaimed: bool = True) -> None:
        """Reading a task gives it the outcome that its time has brought. `unclaimed`: also when nobody ever had it."""
        if task.outcome:
            return
        if task.handed and task.over:
            self._settle(task)
        elif unclaimed and not task.handed and task.expired:
            self._bury(task, State.EXPIRED)

    def lapse(self, task: Task) -> None:
        """The lease ended, or the delay passed."""
        task.over = True

    def read_by_hand(self, consumer: str) -> Task:
        """XREADGROUP from outside, then a sweep: the task has a holder, and no record of who was given it."""
        task = next(task for task in self.unfinished() if not task.handed)
        task.handed, task.holder, task.delivery = True, consumer, 1
        return task

    def sweep(self) -> None:
        """Overdue tasks are settled; finished or unclaimed ones past their time leave, up to the first that is alive."""
        for task in self.unfinished():
            if task.handed and task.over:
                self._settle(task)
        for task in [task for task in self.tasks.values() if task.in_stream]:
            if not task.expired:
                return
            if task.outcome:
                self._archive(task)
            elif not task.handed:
                self._bury(task, State.EXPIRED)

    def _acked_before(self, consumer: str, token: int | None, task: Task) -> bool:
        if task.outcome is None or task.state not in (State.DONE, State.FAILED):
            return False
        return task.outcome.by == consumer and token in (None, task.outcome.delivery)

    def _fence(self, consumer: str, token: int | None, task: Task) -> None:
        if not task.handed or task.holder != consumer:
            if task.outcome:
                told = task.outcome.held_by == consumer
                raise errors.TaskCancelled("") if told else errors.AlreadyFinished("")
            raise errors.LeaseLost("") if consumer in task.log else errors.NotClaimed("")
        if token not in (None, task.delivery):
            raise errors.LeaseLost("")
        if task.cancelled_by:
            self._finish(task, Ended(State.CANCELLED, task.cancelled_by, task.delivery, held_by=consumer))
            raise errors.TaskCancelled("")

    def _hand(self, task: Task, consumer: str) -> Task:
        task.handed, task.holder, task.over = True, consumer, False
        task.asking, task.note = False, None
        task.delivery += 1
        task.log = [*task.log, consumer][-LOG_KEPT:]
        return task

    def _park(self, task: Task, *, over: bool) -> None:
        task.holder, task.over = None, over
        task.asking, task.note = False, None

    def _used_up(self, task: Task) -> bool:
        return task.delivery - task.releases >= self.max_deliveries

    def _settle(self, task: Task) -> bool:
        """Whether a task whose lease or delay is over has come to its end by that."""
        if task.cancelled_by:
            self._finish(task, Ended(State.CANCELLED, task.cancelled_by, task.delivery, held_by=task.holder))
        elif task.expired:
            self._bury(task, State.EXPIRED)
        elif self._used_up(task):
            self._bury(task, State.DEAD)
        return task.outcome is not None

    def _finish(self, task: Task, ended: Ended) -> None:
        task.handed, task.holder, task.outcome = False, None, ended
        self.done.append(task)
        if len(self.done) == FINISHED_KEPT + ARCHIVED_AT_ONCE:
            for oldest in self.done[:ARCHIVED_AT_ONCE]:
                self._archive(oldest)

    def _archive(self, task: Task) -> None:
        task.in_stream = False
        self.done.remove(task)

    def _bury(self, task: Task, state: State) -> None:
        task.handed, task.holder, task.in_stream = False, None, False
        task.outcome = Ended(state, None, task.delivery if task.log else 0)
        self.letters.append(task)
