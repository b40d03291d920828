"""A poster calls a task off, by the tool."""

from __future__ import annotations

import pytest

from bus import Bus

from .conftest import Connect

pytestmark = pytest.mark.anyio


async def test_a_task_that_waits_is_over_at_once(agent: Connect) -> None:
    """Nobody gets it any more, and the answer says that nothing is left to do; again changes nothing."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        for _ in range(2):
            answer = await ann.call("cancel_task", message_id=message_id, reason="not wanted")
            assert answer == {"state": "cancelled", "next": "nothing: nobody will work on it"}
        assert (await bob.call("claim_task", channel="writers", wait_seconds=0))["status"] == "none"
        assert (await ann.call("await_result", message_id=message_id))["status"] == "cancelled"


async def test_a_task_in_flight_ends_at_its_workers_next_call(agent: Connect, bus: Bus) -> None:
    """The answer names the call that waits for that; the worker is told why."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        answer = await ann.call("cancel_task", message_id=message_id, reason="not wanted")
        assert answer["state"] == "in_flight"
        assert answer["next"].startswith(f'await_result(message_id="{message_id}")')
        assert (await bob.refused("heartbeat", message_id=message_id)).startswith("task_cancelled: ")
        over = await ann.call("await_result", message_id=message_id)
        assert over["status"] == "cancelled"
        assert ann.session is not None
        assert over["from"] == {"key_id": (await ann.session.who(bus)).caller.key_id}


@pytest.mark.parametrize("finished", [True, False])
async def test_what_is_finished_or_unknown_cannot_be_called_off(agent: Connect, finished: bool) -> None:
    """A result is never taken away; an id of nothing is told as such."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result="done")
        wanted, code = (message_id, "already_finished") if finished else ("writers:1-1", "message_not_found")
        assert (await ann.refused("cancel_task", message_id=wanted)).startswith(f"{code}: ")
        assert (await ann.call("await_result", message_id=message_id))["status"] == "done"
