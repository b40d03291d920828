"""Random use of a claimable channel, step by step beside the model; after each step the keys must say what the model says."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bus import Bus, Caller, Claim, NewChannel, State
from bus.errors import BusError
from bus.names import message_id
from bus.streams.engine import Engine
from bus.streams.replies import consumer
from bus.streams.sweeper import Sweeper

from .inside import LATER_MS, claimable_again, due_at, time_of
from .model import ARCHIVED_AT_ONCE, FINISHED_KEPT, Ended, Model, Task, Verb

T = TypeVar("T")
LATER = timedelta(milliseconds=LATER_MS)
ANN, BOB = Caller("bck_ann", "ann"), Caller("bck_bob", "bob")
ACTORS = ((ANN, "ann-1"), (ANN, "ann-2"), (BOB, "bob-1"))
BY_HAND = "by/hand"
_numbers = itertools.count()

actors = st.sampled_from(ACTORS)
callers = st.sampled_from((ANN, BOB))
picks = st.integers(0, 255)
verbs = st.sampled_from(("heartbeat", "release", "fail", "ack", "ack"))
tokens = st.sampled_from(("its own", "its own", None, "earlier"))
endings = st.sampled_from((State.DONE, State.FAILED))


@dataclass
class Ground:
    """A bus to play on, and the loop that it lives in."""

    runner: asyncio.Runner
    engine: Engine
    bus: Bus


class TaskMachine(RuleBasedStateMachine):
    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.tasks = ground.bus.tasks
        self.channel = f"model-{next(_numbers)}"
        self.model = Model(ANN.key_id, 3)
        self.claims: list[Claim] = []
        self.by_time = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.ground.runner.run(work)

    def pick(self, number: int, among: list[T]) -> T:
        return among[number % len(among)]

    def any_task(self, number: int) -> Task:
        """Mostly one that is not finished, the newest first."""
        every = list(self.model.tasks.values())
        return self.pick(number // 4, ((number % 4 and self.model.unfinished()) or every)[::-1])

    def same(self, verb: Coroutine[Any, Any, T], expected: Callable[[], Any]) -> tuple[T | None, Any]:
        """What the channel and the model gave, once they agree on whether and how it was refused."""
        found, wanted, error, refusal = None, None, None, None
        try:
            found = self.run(verb)
        except BusError as why:
            error = why
        try:
            wanted = expected()
        except BusError as why:
            refusal = why
        assert type(error) is type(refusal), f"channel: {error!r}, {found!r}; model: {refusal!r}, {wanted!r}"
        return found, wanted

    def known(self, stream_id: str) -> str:
        return message_id(self.channel, stream_id)

    @initialize(max_deliveries=st.integers(1, 3), full=st.sampled_from((False, False, False, True)))
    def open(self, max_deliveries: int, full: bool) -> None:
        """A new channel; a full one has finished so many tasks that the next ones push old ones out."""
        self.model.max_deliveries = max_deliveries
        channel = NewChannel(self.channel, lease=LATER, ttl=LATER * 2, max_deliveries=max_deliveries)
        self.run(self.ground.bus.channels.create(ANN, channel))
        self.opened = True
        if full:
            self.run(self.fill(FINISHED_KEPT + ARCHIVED_AT_ONCE - 2))

    async def fill(self, count: int) -> None:
        bus, model, engine = self.ground.bus, self.model, self.ground.engine
        first = await bus.tasks.post(ANN, self.channel, "older than all that is finished", delay=LATER)
        model.post(first.cursor, ANN.key_id, delayed=True)
        for number in range(count):
            posted = await bus.tasks.post(ANN, self.channel, "old")
            task = model.post(posted.cursor, ANN.key_id)
            claim = await bus.tasks.claim(BOB, self.channel)
            assert claim is not None
            who = consumer(BOB.key_id, BOB.label)
            model.claim(who, [])
            await bus.tasks.ack(BOB, claim.id, claim_token=claim.claim_token)
            model.act("ack", who, 1, task, state=State.DONE, result=None)
            await engine.store.command("ZADD", f"{engine.keys.channel(self.channel)}:done", number, task.id)

    @rule(who=callers, delayed=st.booleans(), body=st.integers(0, 1), once=st.sampled_from((None, None, "x", "y")))
    def post(self, who: Caller, delayed: bool, body: int, once: str | None) -> None:
        delay = LATER if delayed else timedelta(0)
        posting = self.tasks.post(who, self.channel, f"do {body}", delay=delay, idempotency_key=once)

        def posted_before() -> Task | None:
            return self.model.posted_before(who.key_id, once, (body, delayed)) if once else None

        found, before = self.same(posting, posted_before)
        if found is None:
            return
        assert found.replayed == (before is not None)
        stream_id = found.message.id.rpartition(":")[2]
        if before is not None:
            assert stream_id == before.id
            return
        task = self.model.post(stream_id, who.key_id, delayed=delayed)
        if once:
            self.model.once[who.key_id, once] = (body, delayed), task.id

    @rule(who=callers)
    def post_one(self, who: Caller) -> None:
        """The plain case, so that there is always something to do."""
        self.model.post(self.run(self.tasks.post(who, self.channel, "do")).cursor, who.key_id)

    @rule(who=callers)
    def post_what_expires_at_once(self, who: Caller) -> None:
        self.run(self._post_short_lived(who))

    async def _post_short_lived(self, who: Caller) -> None:
        store, settings = self.ground.engine.store, self.ground.engine.keys.channel(self.channel)
        await store.command("HSET", settings, "ttl_ms", 1)
        posted = await self.tasks.post(who, self.channel, "too late")
        await store.command("HSET", settings, "ttl_ms", LATER_MS * 2)
        while await time_of(self.ground.engine) <= posted.message.expires_at.timestamp() * 1000:
            pass  # 2 ms at most: each turn asks the server
        self.model.post(posted.cursor, who.key_id).expired = True

    @rule(actor=actors)
    def claim(self, actor: tuple[Caller, str]) -> None:
        who = consumer(actor[0].key_id, actor[1])
        again = self.run(claimable_again(self.ground.engine, self.channel))
        found, task = self.same(self.tasks.claim(actor[0], self.channel, actor=actor[1]), lambda: self.model.claim(who, again))
        assert (found is None) == (task is None), f"channel: {found!r}; model: {task!r}"
        if found:
            self.handed(found, task)

    @rule(actor=actors, number=picks)
    @precondition(lambda self: self.model.tasks)
    def claim_one(self, actor: tuple[Caller, str], number: int) -> None:
        task = self.any_task(number)
        who = consumer(actor[0].key_id, actor[1])
        claiming = self.tasks.claim_message(actor[0], self.known(task.id), actor=actor[1])
        found, _ = self.same(claiming, lambda: self.model.claim_one(who, task))
        if found:
            self.handed(found, task)

    @rule(actor=actors)
    @precondition(lambda self: any(not task.handed for task in self.model.unfinished()))
    def claim_when_there_is_one(self, actor: tuple[Caller, str]) -> None:
        self.claim(actor)

    def handed(self, claim: Claim, task: Task) -> None:
        assert (claim.id, claim.delivery) == (self.known(task.id), task.delivery)
        assert consumer(claim.message.hold.key_id if claim.message.hold else "", claim.actor) == task.holder
        earlier = [before for before in self.claims if before.id == claim.id and before.delivery >= claim.delivery]
        assert all(before.claim_token == claim.claim_token for before in earlier), "a delivery number was given twice"
        self.claims.append(claim)

    def act(self, verb: Verb, caller: Caller, actor: str, token: str | None, task: Task, ending: State, delayed: bool) -> None:
        who, result = consumer(caller.key_id, actor), f"{verb} {len(self.claims)}"
        note = result if ending is State.DONE else None
        given: dict[str, Any] = {"claim_token": token} if token else {"actor": actor}
        if verb == "ack":
            given |= {"status": ending.value, "result": result}
        elif verb == "heartbeat":
            given |= {"note": note, "automatic": delayed}
        elif verb == "release":
            given["delay"] = LATER if delayed else timedelta(0)
        delivery = int(token.partition("~")[0]) if token else None
        found, _ = self.same(
            getattr(self.tasks, verb)(caller, self.known(task.id), **given),
            lambda: self.model.act(verb, who, delivery, task, state=ending, result=result, delayed=delayed, note=note),
        )
        if found is not None and verb == "ack":
            assert task.outcome
            assert (found.message.state, found.message.outcome.result) == (task.outcome.state, task.outcome.result)
        if found is not None and verb == "fail" and task.outcome is None:
            self.run(self._back_off(task, found.available_at.timestamp() * 1000))

    async def _back_off(self, task: Task, until_ms: float) -> None:
        """Half to all of 1, 2, 4 … s; then far away, so that no slow machine sees it pass."""
        whole = 1000 * 2 ** (task.delivery - task.releases - 1)
        now = await time_of(self.ground.engine)
        assert until_ms <= now + whole, "it backs off for longer than it should"
        assert until_ms > now + whole / 2 - 2000, "it does not back off"
        await due_at(self.ground.engine, self.channel, task.id, now + LATER_MS)

    @rule(verb=verbs, number=picks, token=tokens, ending=endings, delayed=st.booleans())
    @precondition(lambda self: self.held())
    def act_as_holder(self, verb: Verb, number: int, token: str | None, ending: State, delayed: bool) -> None:
        """With the claim's token, without one, or with that of an earlier delivery."""
        claim, task = self.pick(number, self.held())
        token = {"its own": claim.claim_token, "earlier": f"{claim.delivery - 1}~{claim.actor}"}.get(token or "")
        key_id = task.holder.partition("/")[0] if task.holder else ""
        caller = ANN if key_id == ANN.key_id else BOB
        self.act(verb, caller, claim.actor, token, task, ending, delayed)

    def held(self) -> list[tuple[Claim, Task]]:
        newest = {claim.id.rpartition(":")[2]: claim for claim in self.claims}
        return [(newest[task.id], task) for task in self.model.unfinished() if task.holder and task.id in newest and task.log]

    @rule(verb=verbs, number=picks, token=st.booleans(), ending=endings)
    @precondition(lambda self: self.claims)
    def act_with_an_old_claim(self, verb: Verb, number: int, token: bool, ending: State) -> None:
        """Late, repeated, or simply still good."""
        claim = self.pick(number, self.claims[::-1])
        task = self.model.tasks[claim.id.rpartition(":")[2]]
        caller = next(caller for caller, actor in ACTORS if actor == claim.actor)
        self.act(verb, caller, claim.actor, claim.claim_token if token else None, task, ending, False)

    @rule(number=picks, ending=endings, of=st.sampled_from((0, 0, -1, 1, None)))
    @precondition(lambda self: self.acked())
    def ack_again(self, number: int, ending: State, of: int | None) -> None:
        """By who acked it: with its token, that of another delivery, or none."""
        task, ended = self.pick(number, self.acked())
        key_id, _, actor = (ended.by or "").partition("/")
        token = None if of is None else f"{ended.delivery + of}~{actor}"
        self.act("ack", ANN if key_id == ANN.key_id else BOB, actor, token, task, ending, False)

    def acked(self) -> list[tuple[Task, Ended]]:
        by_ack = (State.DONE, State.FAILED)
        return [(task, task.outcome) for task in self.model.tasks.values() if task.outcome and task.outcome.state in by_ack]

    @rule(verb=verbs, actor=actors, number=picks, ending=endings, delivery=st.sampled_from((None, None, 0, 1, 2)))
    @precondition(lambda self: self.model.tasks)
    def act_as_anybody(self, verb: Verb, actor: tuple[Caller, str], number: int, ending: State, delivery: int | None) -> None:
        task = self.any_task(number)
        token = None if delivery is None else f"{delivery}~{actor[1]}"
        self.act(verb, *actor, token, task, ending, False)

    @rule(who=callers, number=picks)
    @precondition(lambda self: self.model.tasks)
    def cancel(self, who: Caller, number: int) -> None:
        task = self.any_task(number)
        found, _ = self.same(self.tasks.cancel(who, self.known(task.id)), lambda: self.model.cancel(who.key_id, task))
        if found:
            assert found.state == task.state

    @rule(number=picks, who=callers)
    @precondition(lambda self: self.model.letters)
    def redrive(self, number: int, who: Caller) -> None:
        letter = self.pick(number, self.model.letters)
        found = self.run(self.tasks.dead_letters(who, self.channel, limit=100)).items
        kept = next(item for item in found if item.message.id == self.known(letter.id))
        redriving = self.tasks.redrive(who, self.channel, [kept.id])
        made, _ = self.same(redriving, lambda: self.model.redrive(who.key_id, letter))
        if made:
            self.model.post(made[0].message_id.rpartition(":")[2], letter.poster)

    @rule(number=picks)
    @precondition(lambda self: self.running())
    def time_passes(self, number: int) -> None:
        """One lease ends, or one delay."""
        task = self.pick(number, self.running())
        self.by_time += 1
        self.run(due_at(self.ground.engine, self.channel, task.id, self.by_time))
        self.model.lapse(task)

    def running(self) -> list[Task]:
        return [task for task in self.model.unfinished() if task.handed and not task.over]

    @rule()
    def sweep(self) -> None:
        self.run(Sweeper(self.ground.engine).sweep_channel(self.channel))
        self.model.sweep()
