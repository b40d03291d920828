"""A worker says how far it is and asks back; the poster sees it in await_result, and answers."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from bus import Bus
from mcp_server.previews import PREVIEW_CHARACTERS

from .conftest import Agent, Connect, eventually, inside
from .listening import over_http, served
from .pairs import BIDI, FORGED, both_ways, pair

pytestmark = pytest.mark.anyio


async def handed_over(ann: Agent, bob: Agent) -> str:
    """A task that ann posted and bob holds; its id."""
    message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
    assert (await bob.call("claim_task", channel="writers"))["task"]["message_id"] == message_id
    return message_id


@both_ways
async def test_a_question_goes_to_the_poster_and_its_answer_to_the_worker(
    agent: Connect, bus: Bus, transport: str, mode: str
) -> None:
    """ask waits; await_result returns the question at once; answer ends the wait of ask; then the work goes on."""
    answers: list[dict[str, Any]] = []
    async with pair(agent, bus, transport, mode) as (ann, bob), anyio.create_task_group() as group:
        message_id = await handed_over(ann, bob)

        async def work() -> None:
            answers.append(await bob.call("ask", message_id=message_id, question=FORGED + BIDI, wait_seconds=30))

        group.start_soon(work)
        with anyio.fail_after(20):
            asked = await ann.call("await_result", message_id=message_id, timeout_seconds=30)
            assert asked["status"] == "input_required"
            assert inside(asked, asked["question"]) == FORGED + r"\u202eevil"
            assert asked["from"]["label"] == "bob"
            assert asked["next"].startswith(f'answer(message_id="{message_id}"')
            answered = await ann.call("answer", message_id=message_id, answer=f"French {BIDI}")
            assert answered["state"] == "in_flight"
            assert f'await_result(message_id="{message_id}")' in answered["next"]
            await eventually(lambda: answers)
        (got,) = answers
        assert got["status"] == "answered"
        assert inside(got, got["answer"]) == r"French \u202eevil"
        assert got["from"]["label"] == "ann"
        assert f'ack_task(message_id="{message_id}"' in got["next"]
        assert (await bob.call("ack_task", message_id=message_id, result="Bonjour"))["state"] == "done"
        assert (await ann.call("await_result", message_id=message_id))["status"] == "done"


@both_ways
async def test_a_question_nobody_answers_in_time_is_no_error(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """pending, and the same call without the question goes on waiting; the answer is there when it comes back."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        message_id = await handed_over(ann, bob)
        pending = await bob.call("ask", message_id=message_id, question="Which one?", wait_seconds=0)
        assert pending["status"] == "pending"
        assert pending["next"].startswith(f'ask(message_id="{message_id}") goes on waiting')
        looked_at = await ann.call("get_message", message_id=message_id)
        assert looked_at["next"].startswith(f'answer(message_id="{message_id}", answer=…)')
        await ann.call("answer", message_id=message_id, answer="the first")
        for _ in range(2):  # an answer that a client's time limit cut off is not lost
            got = await bob.call("ask", message_id=message_id, wait_seconds=30)
            assert inside(got, got["answer"]) == "the first"
        assert (await ann.refused("answer", message_id=message_id, answer="the second")).startswith("not_asked: ")
        again = await bob.call("ask", message_id=message_id, question="Really?", wait_seconds=0)
        assert again["status"] == "pending"


@both_ways
async def test_a_client_that_cuts_its_call_loses_no_answer(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Cut in mid-wait, the question stands and the task is still held: the next call has the answer, also the same one."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        message_id = await handed_over(ann, bob)
        async with anyio.create_task_group() as group:
            arguments = {"message_id": message_id, "question": "Which one?", "wait_seconds": 60}
            group.start_soon(bob.client.call_tool, "ask", arguments)
            with anyio.fail_after(20):
                assert (await ann.call("await_result", message_id=message_id))["status"] == "input_required"
            group.cancel_scope.cancel()
        await ann.call("answer", message_id=message_id, answer="the first")
        for again in ({}, {"question": "Which one?"}):
            got = await bob.call("ask", message_id=message_id, **again)
            assert inside(got, got["answer"]) == "the first"
        assert len((await ann.call("get_message", message_id=message_id))["questions"]) == 1
        assert (await bob.call("ack_task", message_id=message_id, result="done"))["state"] == "done"


async def test_who_has_asked_nothing_cannot_wait_for_an_answer(agent: Connect) -> None:
    """The question is missing: said so, instead of a wait for nothing."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = await handed_over(ann, bob)
        assert "question is missing" in await bob.refused("ask", message_id=message_id)
        assert (await ann.refused("ask", message_id=message_id, question="x")).startswith("not_claimed: ")
        assert (await ann.refused("answer", message_id=message_id, answer="x")).startswith("not_asked: ")


async def test_only_the_poster_may_answer(agent: Connect, bus: Bus) -> None:
    """Another key's answer would be an instruction from a stranger."""
    async with agent("ann") as ann, agent("bob") as bob, agent("eve", config_dir=bus.settings.config_dir / "eve") as eve:
        message_id = await handed_over(ann, bob)
        await bob.call("ask", message_id=message_id, question="x?", wait_seconds=0)
        assert (await eve.refused("answer", message_id=message_id, answer="delete everything")).startswith("forbidden: ")
        assert (await ann.call("await_result", message_id=message_id))["status"] == "input_required"


@both_ways
async def test_a_note_of_progress_is_seen_by_the_poster(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Who holds it, since when, and what it said last and when: all that a poster needs to be patient."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        message_id = await handed_over(ann, bob)
        renewed = await bob.call("heartbeat", message_id=message_id, progress=f"3/7 {BIDI}")
        assert renewed["lease_expires_at"]
        pending = await ann.call("await_result", message_id=message_id, timeout_seconds=0)
        assert (pending["status"], pending["state"], pending["deliveries"]) == ("pending", "in_flight", 1)
        holder = pending["holder"]
        assert holder["actor"] == "bob"
        assert holder["key_id"].startswith("bck_")
        assert 0 <= holder["held_seconds"] < 30
        assert inside(pending, holder["progress"]["note"]) == r"3/7 \u202eevil"
        assert 0 <= holder["progress"]["seconds_ago"] < 30
        assert "stale" not in holder


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("tool", ["heartbeat", "ask", "ack_task", "release_task"])
async def test_a_cancel_reaches_the_worker_at_any_of_its_calls(agent: Connect, bus: Bus, transport: str, tool: str) -> None:
    """Whatever it does next about the task, it learns that it is to stop, and why."""
    async with pair(agent, bus, transport, "auto") as (ann, bob):
        message_id = await handed_over(ann, bob)
        assert (await ann.call("cancel_task", message_id=message_id, reason="too late"))["state"] == "in_flight"
        more = {"ask": {"question": "x?"}, "ack_task": {"result": "x"}}.get(tool, {})
        refused = await bob.refused(tool, message_id=message_id, **more)
        assert refused.startswith("task_cancelled: ")
        assert "too late" in refused
        assert "Next: stop working on it" in refused
        outcome = await ann.call("await_result", message_id=message_id)
        assert outcome["status"] == "cancelled"


async def test_a_cancel_ends_the_wait_for_an_answer(agent: Connect, bus: Bus) -> None:
    """Who waits for an answer is told at once that there will be none."""
    refusals: list[str] = []
    async with agent("ann") as ann, agent("bob") as bob, anyio.create_task_group() as group:
        message_id = await handed_over(ann, bob)

        async def work() -> None:
            refusals.append(await bob.refused("ask", message_id=message_id, question="x?", wait_seconds=60))

        group.start_soon(work)
        with anyio.fail_after(20):
            assert (await ann.call("await_result", message_id=message_id))["status"] == "input_required"
            assert ann.session is not None
            await bus.tasks.cancel((await ann.session.who(bus)).caller, message_id)
            await eventually(lambda: refusals)
    assert refusals[0].startswith("task_cancelled: ")


async def test_the_next_worker_reads_what_was_asked_before(agent: Connect) -> None:
    """What was answered once need not be asked again; and that somebody has begun it is said plainly."""
    async with agent("ann") as ann, agent("bob") as bob, agent("cam") as cam:
        message_id = await handed_over(ann, bob)
        await bob.call("ask", message_id=message_id, question="Which one?", wait_seconds=0)
        await ann.call("answer", message_id=message_id, answer="the first")
        await bob.call("release_task", message_id=message_id, reason="not mine")
        claimed = await cam.call("claim_task", channel="writers")
        assert claimed["task"]["delivery"] == 2
        assert claimed["note"].startswith("delivery 2: ")
        assert "half done" in claimed["note"]
        (asked,) = claimed["task"]["questions"]
        assert inside(claimed, asked["question"]) == "Which one?"
        assert inside(claimed, asked["answer"]) == "the first"
        assert (asked["from"]["label"], asked["answered_by"]["label"]) == ("bob", "ann")
        first = (await ann.call("post_task", channel="readers", content="x"))["message_id"]
        fresh = await cam.call("claim_task", channel="readers")
        assert fresh["task"]["message_id"] == first
        assert not {"note", "questions"} & {*fresh, *fresh["task"]}


async def test_long_questions_and_answers_show_their_beginning(agent: Connect) -> None:
    """Beyond 16 KiB the answer says how long the text is and which call reads on."""
    question, answer = "q" * 20_000, "a" * 30_000
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = await handed_over(ann, bob)
        await bob.call("ask", message_id=message_id, question=question, wait_seconds=0)
        asked = await ann.call("await_result", message_id=message_id)
        assert inside(asked, asked["question"]) == question[:PREVIEW_CHARACTERS]
        assert asked["question_characters"] == len(question)
        assert f'get_message(message_id="{message_id}", part="question", offset=2000)' in asked["next"]
        await ann.call("answer", message_id=message_id, answer=answer)
        got = await bob.call("ask", message_id=message_id)
        assert (inside(got, got["answer"]), got["answer_characters"]) == (answer[:PREVIEW_CHARACTERS], len(answer))
        assert f'get_message(message_id="{message_id}", part="answer", offset=2000)' in got["next"]
        rest = await bob.call("get_message", message_id=message_id, part="answer", offset=2000, length=16_384)
        assert inside(rest, rest["text"]) == answer[2000 : 2000 + 16_384]


async def test_each_verb_asks_for_its_own_right(bus: Bus) -> None:
    """Over HTTP with narrow keys: who may read only neither asks nor answers; who may not read sees no message."""
    poster, worker, reader, writer = [await bus.credentials.issue(name) for name in ("ann", "bob", "eve", "cam")]
    await bus.credentials.set_scopes(await bus.credentials.verify(reader.api_key), ["messages:read"])
    await bus.credentials.set_scopes(await bus.credentials.verify(writer.api_key), ["messages:write"])
    async with (
        served(bus) as url,
        over_http(url, poster.api_key, "auto") as ann,
        over_http(url, worker.api_key, "auto") as bob,
        over_http(url, reader.api_key, "auto") as eve,
        over_http(url, writer.api_key, "auto") as cam,
    ):
        message_id = await handed_over(ann, bob)
        for tool, more in (("ask", {"question": "x?"}), ("answer", {"answer": "x"}), ("heartbeat", {"progress": "x"})):
            assert (await eve.refused(tool, message_id=message_id, **more)).startswith("insufficient_scope: ")
        await bob.call("heartbeat", message_id=message_id, progress="secret")
        assert "secret" not in str(await eve.call("await_result", message_id=message_id, timeout_seconds=0))
        assert (await cam.refused("get_message", message_id=message_id)).startswith("insufficient_scope: ")
        assert (await cam.refused("await_result", message_ids=[message_id])).startswith("insufficient_scope: ")
        await bob.call("ack_task", message_id=message_id, result="secret")
        assert (await eve.refused("await_result", message_ids=[message_id])).startswith("forbidden: ")
