"""Tasks that are finished, of whose outcome nothing is kept any more: there is nothing left to wait for."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from bus import Bus, Settings
from bus.streams.connecting import bus_over, connect_engine
from bus.streams.engine import Engine
from mcp_server.notebook import Notebook

from .conftest import Agent, Connect

pytestmark = pytest.mark.anyio


@pytest.fixture
async def engine(settings: Settings) -> AsyncGenerator[Engine]:
    async with connect_engine(settings) as opened:
        yield opened


@pytest.fixture
def bus(engine: Engine) -> Bus:
    return bus_over(engine)


async def forgotten(engine: Engine, ann: Agent, bob: Agent) -> str:
    """A task that bob has finished, once its outcome's time is over."""
    message_id: str = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
    await bob.call("claim_task", channel="writers")
    await bob.call("ack_task", message_id=message_id, result="ok")
    await engine.store.command("DEL", engine.keys.result("writers", message_id.partition(":")[2]))
    return message_id


async def test_an_outcome_that_is_no_longer_kept_ends_the_wait(agent: Connect, engine: Engine) -> None:
    """Said so, at once, and with no call to wait on: it would return at once for ever."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = await forgotten(engine, ann, bob)
        found = await ann.call("await_result", message_id=message_id, timeout_seconds=60)
        assert (found["status"], found["note"]) == ("done", "it is finished, but its outcome is no longer kept")
        assert "result" not in found
        assert "await_result" not in found["next"]
        several = await ann.call("await_result", message_ids=[message_id], timeout_seconds=60)
        assert (several["status"], several["results"][0]["status"]) == ("finished", "done")
        assert "await_result" not in several["next"]


async def test_an_outcome_that_is_no_longer_kept_is_not_waited_for_again(agent: Connect, engine: Engine, bus: Bus) -> None:
    """The session's own looks take it for finished, so that nothing asks for it on end."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = await forgotten(engine, ann, bob)
        assert ann.session is not None
        who = await ann.session.who(bus)
        message = await bus.tasks.await_result(who.caller, message_id)
        notebook = Notebook(lambda: 0.0)
        notebook.note_posted(message_id)
        notebook.find(message)
        assert notebook.posted[message_id].over
        notebook.seen(message)
        assert not notebook.posted
