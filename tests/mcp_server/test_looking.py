"""The look for news that goes along with each call: it is bounded, and costs neither an answer nor a task."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import anyio
import pytest
from mcp.client import Client

from bus import Bus, Settings
from bus.actors import Actors
from bus.errors import StoreUnavailable
from mcp_server import reminders
from mcp_server.server import create_server
from mcp_server.session import Session

from .conftest import Agent, Clock, Connect, eventually
from .test_reminders import later, post

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def agent_over(bus: Bus, settings: Settings, clock: Clock) -> AsyncGenerator[Agent]:
    session = Session(settings.model_copy(update={"agent_label": "ann"}), clock)
    async with Client(create_server(bus, session)) as client:
        yield Agent(client, session)


class Hanging:
    """Actors of a bus that does not answer about mentions, or answers nonsense."""

    def __init__(self, actors: Actors, error: Exception | None) -> None:
        self.error = error
        self.create = actors.create
        self.asked = 0

    async def mentions(self, *args: object, **more: object) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await anyio.sleep_forever()


@pytest.mark.parametrize("error", [None, StoreUnavailable("gone"), RuntimeError("a bug")])
async def test_a_look_that_fails_or_hangs_costs_no_answer(
    agent: Connect, bus: Bus, settings: Settings, clock: Clock, error: Exception | None
) -> None:
    """What else is known is told all the same, within the patience of a tenth of a second."""
    actors = Hanging(bus.actors, error)
    broken = replace(bus, actors=cast("Actors", actors))
    async with agent_over(broken, settings, clock) as ann, agent("bob") as bob:
        message_id = await post(ann)
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result="r")
        with anyio.fail_after(5):
            told = await later(clock, ann)
        assert actors.asked >= 1
        assert told is None if isinstance(error, RuntimeError) else str(told).startswith(f"{message_id} is done")


async def test_a_claim_that_is_cancelled_while_its_answer_is_made_ready_is_given_back(
    agent: Connect, bus: Bus, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has not heard of the task: another agent gets it at once, and this session does not hold it."""
    monkeypatch.setattr(reminders, "_PATIENCE_SECONDS", 30.0)
    actors = Hanging(bus.actors, StoreUnavailable("gone"))
    async with agent_over(replace(bus, actors=cast("Actors", actors)), settings, clock) as ann, agent("bob") as bob:
        message_id = await post(ann)
        actors.error = None
        clock.passes(10)
        assert ann.session is not None
        async with anyio.create_task_group() as group:
            group.start_soon(ann.client.call_tool, "claim_task", {"channel": "writers"})
            await eventually(lambda: ann.session and ann.session.held)
            group.cancel_scope.cancel()
        assert (await bob.call("claim_task", channel="writers", wait_seconds=10))["task"]["message_id"] == message_id
        await eventually(lambda: ann.session and not ann.session.held)


async def test_a_session_looks_every_few_seconds_at_most(bus: Bus, settings: Settings, clock: Clock) -> None:
    """Ten calls in a row cost one look."""
    actors = Hanging(bus.actors, StoreUnavailable("gone"))
    async with agent_over(replace(bus, actors=cast("Actors", actors)), settings, clock) as ann:
        for _ in range(10):
            await ann.call("list_channels")
        assert actors.asked == 1
        await later(clock, ann, 5.1)
        assert actors.asked == 2
