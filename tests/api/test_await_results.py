"""Several results awaited in one request: the shape, the statuses, and what a client may rely on."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def _results(agent: Agent, ids: list[str], **fields: Any) -> dict[str, Any]:
    answer = await agent.post("/v1/tasks/results", json={"message_ids": ids, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _ack(agent: Agent, message_id: str, result: Any) -> None:
    answer = await agent.post(f"/v1/messages/{message_id}/ack", json={"result": result})
    assert answer.status_code == 200, answer.text


async def test_each_stands_where_it_was_named_as_its_own_result_would_be(ann: Agent, bob: Agent, channel: str) -> None:
    """The shape of `GET /v1/tasks/{message_id}/result`, as often as it was asked for."""
    ids = [(await posted(ann, channel))["id"] for _ in range(3)]
    await claimed(bob, channel)
    await _ack(bob, ids[0], "x")
    told = await _results(ann, [ids[2], ids[0], ids[1], ids[0]], wait=0)
    assert set(told) == {"status", "results"}
    for found, message_id in zip(told["results"], [ids[2], ids[0], ids[1], ids[0]], strict=True):
        assert found == (await ann.get(f"/v1/tasks/{message_id}/result", params={"wait": 0})).json()
    assert [each["message"]["ahead"] for each in told["results"]] == [1, None, 0, None]


async def test_the_status_says_whether_the_wait_was_long_enough(ann: Agent, bob: Agent, channel: str) -> None:
    """`pending`, then `finished` once what was needed has its outcome: any of them, or all."""
    ids = [(await posted(ann, channel))["id"] for _ in range(2)]
    assert (await _results(ann, ids))["status"] == "pending"
    assert (await _results(ann, ids, need="any", wait=0.05))["status"] == "pending"
    await claimed(bob, channel)
    await _ack(bob, ids[0], 1)
    assert [(await _results(ann, ids, need=need))["status"] for need in ("any", "all")] == ["finished", "pending"]
    await claimed(bob, channel)
    await _ack(bob, ids[1], 2)
    told = await _results(ann, ids, wait=15)
    assert (told["status"], [each["result"] for each in told["results"]]) == ("finished", [1, 2])


async def test_a_question_is_said_to_need_an_answer(ann: Agent, bob: Agent, channel: str) -> None:
    """`input_required`, unless what was needed is there all the same."""
    ids = [(await posted(ann, channel))["id"] for _ in range(2)]
    await claimed(bob, channel)
    asked = await bob.post(f"/v1/messages/{ids[0]}/ask", json={"question": "Which colour?"})
    assert asked.status_code == 200, asked.text
    told = await _results(ann, ids, wait=15)
    assert (told["status"], [each["status"] for each in told["results"]]) == ("input_required", ["input_required", "pending"])
    assert told["results"][0]["message"]["questions"][0]["text"] == "Which colour?"
    await claimed(bob, channel)
    await _ack(bob, ids[1], 2)
    assert [(await _results(ann, ids, need=need))["status"] for need in ("any", "all")] == ["finished", "input_required"]


async def test_the_request_is_held_until_the_last_of_them(ann: Agent, bob: Agent, channel: str) -> None:
    """It returns when the last ack is there, not when its wait is over."""
    ids = [(await posted(ann, channel))["id"] for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_results(ann, ids, wait=15))
        for number in range(3):
            await claimed(bob, channel)
            begun = time.monotonic()
            await _ack(bob, ids[number], number)
    assert time.monotonic() - begun < 5
    assert [each["result"] for each in waiting.result()["results"]] == [0, 1, 2]


async def test_one_that_is_refused_refuses_the_request(ann: Agent, bob: Agent, channel: str) -> None:
    """404 for an unknown id, 403 for another's result or a channel that is closed: before any wait."""
    mine = (await posted(ann, channel))["id"]
    begun = time.monotonic()
    for unknown in (f"{channel}:1-0", "nowhere:1-0", "no id"):
        answer = await ann.post("/v1/tasks/results", json={"message_ids": [mine, unknown], "wait": 15})
        refused(answer, 404, "message_not_found")
    await ann.post("/v1/channels", json={"name": f"{channel}-closed", "mode": "claimable", "access": "restricted"})
    hidden = (await posted(ann, f"{channel}-closed"))["id"]
    refused(await bob.post("/v1/tasks/results", json={"message_ids": [hidden], "wait": 15}), 403, "channel_access_denied")
    await claimed(ann, channel)
    await _ack(ann, mine, "secret")
    refused(await bob.post("/v1/tasks/results", json={"message_ids": [mine], "wait": 15}), 403, "forbidden")
    assert time.monotonic() - begun < 10


async def test_an_idempotency_key_is_welcome_and_changes_nothing(ann: Agent, bob: Agent, channel: str) -> None:
    """Asking again tells how things stand now, not how they stood then."""
    message = await posted(ann, channel)
    body = {"message_ids": [message["id"]]}
    first = await ann.post("/v1/tasks/results", json=body, headers={"Idempotency-Key": "k"})
    await claimed(bob, channel)
    await _ack(bob, message["id"], "x")
    second = await ann.post("/v1/tasks/results", json=body, headers={"Idempotency-Key": "k"})
    assert [answer.json()["status"] for answer in (first, second)] == ["pending", "finished"]
