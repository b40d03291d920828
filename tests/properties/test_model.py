"""A claimable channel does what the model does, whatever is done to it in whatever order."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from bus import Caller, Settings, State
from bus.models import Counts
from bus.streams.connecting import bus_over, connect_engine
from bus.streams.replies import consumer
from bus.streams.sweeper import Sweeper

from .inside import Inside, expired, look_inside
from .machine import ANN, BY_HAND, Ground, callers, picks
from .talk import TalkMachine

EXAMPLES = int(os.environ.get("BACKCHANNEL_EXAMPLES", "0"))
SEED = int(os.environ.get("BACKCHANNEL_SEED", "0")) or random.SystemRandom().getrandbits(32)
SHRINK = bool(os.environ.get("BACKCHANNEL_SHRINK"))  # minutes: asked for once there is a seed that fails
STEPS = 60


class CheckedMachine(TalkMachine):
    """The machine with its checks: everything the channel keeps, against the model."""

    @rule(number=picks, who=callers)
    @precondition(lambda self: self.model.tasks)
    def look(self, number: int, who: Caller) -> None:
        """Any task can be read by its id, from the first to the last."""
        task = self.any_task(number)
        left_before = not task.in_stream
        found = self.run(self.ground.bus.messages.get(who, self.known(task.id)))
        self.model.look(task)
        assert found.state == task.state
        assert found.archived == left_before
        assert (found.hold is not None) == (task.state in (State.IN_FLIGHT, State.INPUT_REQUIRED))
        self.talk_agrees(who, found, task)
        if found.hold:
            assert (consumer(found.hold.key_id, found.hold.actor), found.hold.delivery) == (task.holder, task.delivery)
            assert found.hold.cancel_requested == (task.cancelled_by is not None)
        if found.outcome and task.outcome:
            assert found.outcome.delivery == task.outcome.delivery
            assert found.outcome.result == (None if found.result_withheld else task.outcome.result)

    @rule(number=picks)
    @precondition(
        lambda self: self.ground.engine.store.kind == "embedded" and any(t.in_stream for t in self.model.tasks.values())
    )
    def time_to_live_passes(self, number: int) -> None:
        """Of a task that waits, is held, or is done."""
        task = self.any_task(number)
        if task.in_stream:
            self.run(expired(self.ground.engine, self.channel, task.id))
            task.expired = True

    @rule()
    def read(self) -> None:
        """Reading from the start changes nothing and shows what is there in posting order."""
        found = self.run(self.ground.bus.messages.subscribe(ANN, self.channel, since="0", limit=100)).items
        here = [task for task in self.model.tasks.values() if task.in_stream][:100]
        shown = [task for task in here if task.outcome or task.handed or not task.expired]
        assert [(item.id, item.state) for item in found] == [(self.known(task.id), task.state) for task in shown]

    @rule()
    @precondition(lambda self: any(not task.handed for task in self.model.unfinished()))
    def read_by_hand(self) -> None:
        """An operator runs XREADGROUP: the sweeper gives what it took a lease."""
        keys = self.ground.engine.keys
        task = next(task for task in self.model.unfinished() if not task.handed)
        if task.expired or self.run(self._command("EXISTS", f"{keys.channel(self.channel)}:ahead")):
            return  # by hand one would be handed what is held already: why claims step the cursor first
        stream = keys.stream(self.channel)
        taken = self.run(self._command("XREADGROUP", "GROUP", "workers", BY_HAND, "COUNT", 1, "STREAMS", stream, ">"))
        assert self.model.read_by_hand(BY_HAND).id in str(taken)
        self.run(Sweeper(self.ground.engine).sweep_channel(self.channel))
        self.model.sweep()

    async def _command(self, *args: str | int) -> object:
        return await self.ground.engine.store.command(*args)

    @invariant()
    def keys_agree(self) -> None:
        if not hasattr(self, "opened"):
            return
        model, tasks = self.model, list(self.model.tasks.values())
        inside = self.run(look_inside(self.ground.engine, self.channel, [task.id for task in tasks]))
        assert inside.stream == [task.id for task in tasks if task.in_stream], "a task is lost, or back from the dead"
        assert set(inside.done) == {task.id for task in model.done}
        assert set(inside.done) <= set(inside.stream)
        letters = [(task.id, task.state.value) for task in model.letters]
        assert sorted(inside.letters) == sorted(letters)  # one sweep buries many, in the order of their due times
        self.hands_agree(inside)
        self.outcomes_agree(inside)
        self.counts_agree()

    def hands_agree(self, inside: Inside) -> None:
        handed = [task for task in self.model.unfinished() if task.handed]
        assert inside.pending == {task.id: (task.holder or "_", task.delivery) for task in handed}
        assert set(inside.due) == set(inside.pending)
        assert {of: ms <= inside.now for of, ms in inside.due.items()} == {task.id: task.over for task in handed}
        assert inside.parked == {task.id: inside.due[task.id] for task in handed if task.holder is None}
        assert inside.recorded == {task.id for task in handed if task.log or task.cancelled_by}

    def outcomes_agree(self, inside: Inside) -> None:
        for task in self.model.tasks.values():
            kept, ended = inside.results.get(task.id), task.outcome
            assert (kept is None) == (ended is None), f"{task}: {kept}"
            if kept and ended:
                told = (kept["state"], kept.get("by"), kept["delivery"], kept.get("result"), kept["posted_by"])
                assert told == (ended.state, ended.by, ended.delivery, ended.result, task.poster), "an outcome changed"

    def counts_agree(self) -> None:
        states = [task.state for task in self.model.tasks.values()]
        counts = self.run(self.ground.bus.channels.counts(ANN, self.channel))
        assert counts == Counts(
            total=sum(task.in_stream for task in self.model.tasks.values()),
            waiting=states.count(State.WAITING),
            delayed=states.count(State.DELAYED),
            in_flight=states.count(State.IN_FLIGHT) + states.count(State.INPUT_REQUIRED),
            done=len(self.model.done),
            dead=len(self.model.letters),
            next_available_at=counts.next_available_at,
        )
        assert (counts.next_available_at is None) == (not self.running())

    def teardown(self) -> None:
        self.run(self._command("FLUSHDB"))


def play(ground: Ground, examples: int, steps: int) -> None:
    """Raises the assertion that failed, with the steps that lead to it."""
    chosen = EXAMPLES or examples
    print(f"BACKCHANNEL_SEED={SEED} BACKCHANNEL_EXAMPLES={chosen}")
    run_state_machine_as_test(
        cast("type[CheckedMachine]", seed(SEED)(lambda: CheckedMachine(ground))),  # called, never looked into
        settings=settings(
            max_examples=chosen,
            stateful_step_count=steps,
            deadline=None,  # an example is as slow as the machine is busy
            database=None,  # the seed is printed; a checkout gets no files
            suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
            phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
        ),
    )


def ground(given: Settings) -> Iterator[Ground]:
    with asyncio.Runner() as runner:
        opening = connect_engine(given)
        engine = runner.run(opening.__aenter__())
        try:
            yield Ground(runner, engine, bus_over(engine))
        finally:
            runner.run(opening.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def embedded() -> Iterator[Ground]:
    """A real server of this module's own."""
    with tempfile.TemporaryDirectory(prefix="bcp-", dir="/tmp") as folder:
        yield from ground(Settings(redis_url=None, data_dir=Path(folder)))


@pytest.fixture(scope="module")
def memory() -> Iterator[Ground]:
    yield from ground(Settings(redis_url="memory://model"))


@pytest.fixture(autouse=True)
def no_warnings_of_what_is_meant(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "bus.streams.sweeper")


def test_a_channel_does_what_the_model_does(embedded: Ground) -> None:
    """No task is lost, none has two holders or two outcomes, and every count is exact, on a real server."""
    play(embedded, examples=200, steps=STEPS)


def test_a_channel_in_memory_does_what_the_model_does(memory: Ground) -> None:
    """memory:// keeps the same promises."""
    play(memory, examples=20, steps=30)
