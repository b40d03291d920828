"""A claim whose answer crossed the client's giving up."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from .processes import PATIENCE, served

pytestmark = pytest.mark.anyio


async def test_a_claim_that_was_answered_too_late_goes_back(home: Path) -> None:
    """The client's word that it gave up was on its way already: the task is not kept for somebody who never read of it."""
    async with served(home) as server, served(home) as other:
        await server.call("post_task", channel="writers", content="x")
        request = await server.start_call("claim_task", channel="writers")
        answer = await server.answer(request)
        task = answer["result"]["structuredContent"]["task"]
        await server.notify("notifications/cancelled", {"requestId": request, "reason": "timed out"})
        with anyio.fail_after(PATIENCE):
            again = await other.call("claim_task", channel="writers", wait_seconds=20)
        assert again["structuredContent"]["task"]["message_id"] == task["message_id"]
        refused = await server.call("heartbeat", message_id=task["message_id"])
        assert refused["isError"]


async def test_a_claim_that_was_worked_on_stays(home: Path) -> None:
    """Giving up another call, or one whose task the session has finished, takes nothing back."""
    async with served(home) as server:
        await server.call("post_task", channel="writers", content="x")
        await server.call("post_task", channel="writers", content="y")
        claimed = [await server.start_call("claim_task", channel="writers") for _ in range(2)]
        first, second = [(await server.answer(each))["result"]["structuredContent"]["task"]["message_id"] for each in claimed]
        assert not (await server.call("ack_task", message_id=first, result="done"))["isError"]
        for request in (claimed[0], 4711, "no such request"):
            await server.notify("notifications/cancelled", {"requestId": request})
        assert (await server.call("await_result", message_id=first))["structuredContent"]["status"] == "done"
        assert not (await server.call("heartbeat", message_id=second))["isError"]
