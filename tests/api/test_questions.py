"""Questions over HTTP: asked, waited for and answered; and how each looks on the wire."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def asked(ann: Agent, bob: Agent, channel: str, question: str = "which one?") -> tuple[str, dict[str, Any]]:
    """The path of a task of ann's about which bob has asked, and the answer to his asking."""
    await posted(ann, channel)
    claim = await claimed(bob, channel)
    path = f"/v1/messages/{claim['claimed']['id']}"
    answer = await bob.post(f"{path}/ask", json={"claim_token": claim["claim_token"], "question": question})
    assert answer.status_code == 200, answer.text
    return path, answer.json()


async def test_a_question_is_shown_and_answered(ann: Agent, bob: Agent, channel: str) -> None:
    """The claim with its parked lease; the poster's result says `input_required`; the answer is in the claim."""
    path, asking = await asked(ann, bob, channel)
    message = asking["message"]
    assert set(asking) == {"message", "actor", "claim_token", "lease_expires_at", "delivery"}
    assert (message["state"], message["status"]) == ("input_required", "claimed")
    assert asking["lease_expires_at"] == message["lease_expires_at"] == message["expires_at"]
    (question,) = message["questions"]
    assert {name: question[name] for name in ("text", "actor", "key_id", "answer", "answered_by", "answered_at")} == {
        "text": "which one?", "actor": asking["actor"], "key_id": message["claimed_by_key_id"],
        "answer": None, "answered_by": None, "answered_at": None,
    }  # fmt: skip
    result = f"/v1/tasks/{message['id']}/result"
    told = (await ann.get(result, params={"wait": 15})).json()
    assert (told["status"], told["result"], told["message"]["questions"]) == ("input_required", None, [question])
    refused(await ann.get(result), 404, "result_not_ready")
    answered = await ann.post(f"{path}/answer", json={"answer": "the first", "actor_label": "Ann"})
    assert (answered.status_code, answered.json()["status"]) == (200, "answered")
    assert answered.json()["message"]["state"] == "in_flight"
    going_on = (await bob.post(f"{path}/await-answer", json={"claim_token": asking["claim_token"]})).json()
    assert going_on["lease_expires_at"] < asking["lease_expires_at"]
    (last,) = going_on["message"]["questions"]
    assert (last["answer"], last["answered_by"], last["answered_by_key_id"]) == ("the first", "Ann", message["key_id"])
    assert (await ann.get(result, params={"wait": 0})).json()["status"] == "pending"


async def test_both_who_wait_are_told_at_once(ann: Agent, bob: Agent, channel: str) -> None:
    """Their requests return when the other's call is there, not when their wait is over."""
    message = await posted(ann, channel)
    claim = await claimed(bob, channel)
    path, begun = f"/v1/messages/{message['id']}", time.monotonic()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(ann.get(f"/v1/tasks/{message['id']}/result", params={"wait": 15}))
        await bob.post(f"{path}/ask", json={"claim_token": claim["claim_token"], "question": "why?"})
    assert waiting.result().json()["status"] == "input_required"
    async with asyncio.TaskGroup() as group:
        working = group.create_task(bob.post(f"{path}/await-answer", json={"wait": 15}))
        await ann.post(f"{path}/answer", json={"answer": "because"})
    assert working.result().json()["message"]["questions"][-1]["answer"] == "because"
    assert time.monotonic() - begun < 5


async def test_a_wait_without_an_answer_ends_as_it_stands(ann: Agent, bob: Agent, channel: str) -> None:
    """200 and `input_required`: ask again."""
    path, _ = await asked(ann, bob, channel)
    for body in ({}, {"wait": 0.05}):
        standing = await bob.post(f"{path}/await-answer", json=body)
        assert (standing.status_code, standing.json()["message"]["state"]) == (200, "input_required")


async def test_what_cannot_be_asked_or_answered_is_refused(ann: Agent, bob: Agent, channel: str) -> None:
    """Each with its status and code."""
    path, _ = await asked(ann, bob, channel)
    refused(await ann.post(f"{path}/ask", json={"question": "x"}), 409, "not_claimed")
    refused(await ann.post(f"{path}/await-answer", json={"wait": 5}), 409, "not_claimed")
    refused(await bob.post(f"{path}/answer", json={"answer": "x"}), 403, "forbidden")
    refused(await bob.post(f"{path}/ask", json={}), 422, "missing_field")
    refused(await ann.post(f"{path}/answer", json={"answer": " "}), 422, "invalid_string")
    assert (await ann.post(f"{path}/answer", json={"answer": "one"})).status_code == 200
    assert (await ann.post(f"{path}/answer", json={"answer": "one"})).status_code == 200
    refused(await ann.post(f"{path}/answer", json={"answer": "two"}), 409, "not_asked")


async def test_a_cancelled_task_is_told_to_who_waits_for_an_answer(ann: Agent, bob: Agent, channel: str) -> None:
    """As a refusal, at once; and again to whatever comes next."""
    path, _ = await asked(ann, bob, channel)
    async with asyncio.TaskGroup() as group:
        working = group.create_task(bob.post(f"{path}/await-answer", json={"wait": 15}))
        called_off = await ann.post(f"{path}/cancel", json={"reason": "not needed"})
    assert called_off.json()["message"]["state"] == "cancelled"
    refused(working.result(), 409, "task_cancelled")
    refused(await bob.post(f"{path}/ack", json={}), 409, "task_cancelled")


async def test_an_answer_under_an_idempotency_key_is_given_once(ann: Agent, bob: Agent, channel: str) -> None:
    """Sent again after the next question came, it does not answer that one too."""
    path, _ = await asked(ann, bob, channel, "red?")
    once = {"Idempotency-Key": f"{channel}-1"}
    first = await ann.post(f"{path}/answer", json={"answer": "yes"}, headers=once)
    asking = {"Idempotency-Key": f"{channel}-2"}
    again = [await bob.post(f"{path}/ask", json={"question": "blue?"}, headers=asking) for _ in range(2)]
    repeated = await ann.post(f"{path}/answer", json={"answer": "yes"}, headers=once)
    assert (repeated.json(), repeated.headers["X-Idempotent-Replay"]) == (first.json(), "true")
    assert again[0].json() == again[1].json()
    standing = (await ann.get(path)).json()
    questions = standing.get("message", standing)["questions"]
    assert [(q["text"], q["answer"]) for q in questions] == [("red?", "yes"), ("blue?", None)]


async def test_a_note_is_shown_to_the_poster(ann: Agent, bob: Agent, channel: str) -> None:
    """While the task is held; with the time at which it was noted."""
    message = await posted(ann, channel)
    await claimed(bob, channel)
    path = f"/v1/messages/{message['id']}/heartbeat"
    beat = (await bob.post(path, json={"note": "3/7 compiling", "automatic": False})).json()
    assert (await bob.post(path, json={"automatic": True})).json()["message"]["progress"] == beat["message"]["progress"]
    standing = (await ann.get(f"/v1/tasks/{message['id']}/result", params={"wait": 0})).json()["message"]
    assert standing["progress"] == beat["message"]["progress"]
    assert (standing["progress"]["note"], standing["stale"]) == ("3/7 compiling", False)
    refused(await bob.post(path, json={"note": "x" * 501}), 422, "invalid_string")
