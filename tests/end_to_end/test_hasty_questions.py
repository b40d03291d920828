"""A worker and a poster whose clients cut their calls while one waits for an answer and the other for a question."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from .hasty import PATIENCE, Cut, Hasty, Refused, library, piped

pytestmark = pytest.mark.anyio
TASKS = 15


async def ask_each(agent: Hasty, chance: random.Random, cuts: list[str]) -> None:
    """Claim, ask, wait for the answer as often as it takes, finish with it."""
    for _ in range(TASKS):
        claimed = await agent.call("claim_task", channel="writers")
        message_id = claimed["task"]["message_id"]
        asked: dict[str, Any] = {"message_id": message_id, "wait_seconds": PATIENCE}
        arguments = asked | {"question": f"how about {message_id}?"}
        while True:
            try:
                answered = await agent.call("ask", chance.uniform(0.001, 0.04), **arguments)
            except Cut:
                cuts.append("ask")
                arguments = asked if chance.randrange(2) else arguments
                continue
            except Refused:  # cut before the question was put, then called without it
                arguments = asked | {"question": f"how about {message_id}?"}
                continue
            break
        assert answered["status"] == "answered"
        await agent.call("ack_task", message_id=message_id, result=answered["answer"].split()[1])


async def answer_each(agent: Hasty, chance: random.Random, cuts: list[str]) -> list[str]:
    """Post, wait, answer what is asked, wait on; the results in the order of the posts."""
    found: list[str] = []
    for number in range(TASKS):
        message_id = (await agent.call("post_task", channel="writers", content="x"))["message_id"]
        while True:
            try:
                outcome = await agent.call(
                    "await_result", chance.uniform(0.001, 0.03), message_id=message_id, timeout_seconds=PATIENCE
                )
            except Cut:
                cuts.append("await_result")
                continue
            if outcome["status"] == "done":
                found.append(outcome["result"].split()[1])
                break
            if outcome["status"] == "input_required":
                assert message_id in outcome["question"]
                await agent.call("answer", message_id=message_id, answer=f"answer-{number}")
    return found


async def test_a_question_and_its_answer_survive_calls_that_are_cut(home: Path) -> None:
    """Whoever gave up asks again and gets what was said meanwhile; each task ends with the answer to its own."""
    chance, cuts = random.Random(3), list[str]()
    async with (
        piped(home, BACKCHANNEL_AGENT_LABEL="ann") as ann,
        library(home, "auto", BACKCHANNEL_AGENT_LABEL="bob") as bob,
        asyncio.timeout(60),
    ):
        await ann.call("post_task", channel="writers", content="first")
        first = await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=first["task"]["message_id"], result="x")
        async with asyncio.TaskGroup() as group:
            group.create_task(ask_each(bob, chance, cuts))
            answering = group.create_task(answer_each(ann, chance, cuts))
    assert answering.result() == [f"answer-{number}" for number in range(TASKS)]
    print(f"{TASKS} questions, {cuts.count('ask')} cut while asking, {cuts.count('await_result')} while awaiting")
    assert set(cuts) == {"ask", "await_result"}
