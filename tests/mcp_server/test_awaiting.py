"""Waiting for one task or several, and what a client is told meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from bus import Bus, errors
from bus.models import Message
from mcp_server import waiting
from mcp_server.waiting import waiting as wait_telling

from .conftest import Agent, Connect, eventually, inside
from .pairs import BIDI, WAYS, both_ways, pair
from .processes import environment

pytestmark = pytest.mark.anyio
ON_A_WIRE = [way for way in WAYS if way != ("stdio", "auto")]
"""Where a request says whether progress is wanted: a modern client in this process is called back without a wire."""


async def posted(ann: Agent, *contents: str) -> list[str]:
    return [(await ann.call("post_task", channel="writers", content=each))["message_id"] for each in contents]


async def finished(bob: Agent, count: int = 1, **result: Any) -> None:
    for _ in range(count):
        task = (await bob.call("claim_task", channel="writers"))["task"]
        await bob.call("ack_task", message_id=task["message_id"], **(result or {"result": "ok"}))


@both_ways
async def test_all_or_any_of_several_tasks_are_awaited(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Fan out, fan in: the results in the order asked for, each with its own status; what is missing is named."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        one, two, three = ids = await posted(ann, "1", "2", "3")
        await finished(bob, result=f"first {BIDI}")
        await finished(bob, status="failed", reason="no idea")
        await bob.call("claim_task", channel="writers")
        some = await ann.call("await_result", message_ids=[two, one, three], timeout_seconds=0.1)
        assert some["status"] == "pending"
        assert [each["message_id"] for each in some["results"]] == [two, one, three]
        assert [each["status"] for each in some["results"]] == ["failed", "done", "pending"]
        assert inside(some, some["results"][0]["reason"]) == "no idea"
        assert inside(some, some["results"][1]["result"]) == r"first \u202eevil"
        assert (some["results"][2]["state"], some["results"][2]["holder"]["actor"]) == ("in_flight", "bob")
        assert some["next"] == f'await_result(message_ids=["{three}"]) waits for the rest'
        any_one = await ann.call("await_result", message_ids=ids, need="any", timeout_seconds=30)
        assert any_one["status"] == "finished"
        assert any_one["next"] == f'await_result(message_ids=["{three}"], need="any") waits for the next one'
        await bob.call("ack_task", message_id=three, result={"n": 3})
        every = await ann.call("await_result", message_ids=ids, timeout_seconds=30)
        assert (every["status"], every["results"][2]["result"]) == ("finished", {"n": 3})
        assert "await_result" not in every["next"]


async def test_a_question_ends_the_wait_for_several(agent: Connect) -> None:
    """One worker that waits for its poster is answered now, not when the others have finished."""
    async with agent("ann") as ann, agent("bob") as bob:
        one, two = ids = await posted(ann, "1", "2")
        await bob.call("claim_task", channel="writers")
        await bob.call("ask", message_id=one, question="Which?", wait_seconds=0)
        with anyio.fail_after(20):
            asked = await ann.call("await_result", message_ids=ids, timeout_seconds=60)
        assert asked["status"] == "input_required"
        assert inside(asked, asked["results"][0]["question"]) == "Which?"
        assert asked["next"].startswith(f'answer(message_id="{one}", answer=…)')
        assert f'await_result(message_ids=["{one}", "{two}"])' in asked["next"]


async def test_a_question_is_not_for_strangers(agent: Connect, tmp_path: Path) -> None:
    """Another key on an open channel learns that its poster is asked, not what; and is not told to answer or to ask again."""
    async with agent("ann") as ann, agent("bob") as bob, agent("eve", config_dir=tmp_path / "eve") as eve:
        (task,) = await posted(ann, "1")
        await bob.call("claim_task", channel="writers")
        await bob.call("ask", message_id=task, question="Which?", wait_seconds=0)
        seen = await eve.call("await_result", message_id=task, timeout_seconds=0)
        assert seen["status"] == "input_required"
        assert "question" not in seen
        assert seen["note"].startswith("its holder asks the poster something")
        assert seen["next"] == "nothing until its poster has answered"


async def test_one_id_twice_is_one_task_and_both_arguments_count(agent: Connect) -> None:
    """However a model puts the list together."""
    async with agent("ann") as ann, agent("bob") as bob:
        one, two = await posted(ann, "1", "2")
        await finished(bob, 2)
        answer = await ann.call("await_result", message_id=one, message_ids=[one, f" {two} ", two])
        assert [each["message_id"] for each in answer["results"]] == [one, two]
        alone = await ann.call("await_result", message_ids=[two])
        assert [each["status"] for each in alone["results"]] == ["done"]
        assert (await ann.refused("await_result", message_ids=[one, "writers:1-0"])).startswith("message_not_found: ")


async def test_many_long_results_share_one_answer(agent: Connect) -> None:
    """Fifty results of 60,000 characters would be three million: each shows its beginning and how long it is."""
    async with agent("ann") as ann, agent("bob") as bob:
        ids = await posted(ann, *(str(number) for number in range(50)))
        await finished(bob, 49, result="r" * 60_000)
        await finished(bob, result="short")
        answer = await ann.client.call_tool("await_result", {"message_ids": ids})
        found: dict[str, Any] = answer.structured_content or {}
        block = answer.content[0]
    assert block.type == "text"
    assert len(block.text) < 40_000
    assert found["status"] == "finished"
    assert all(each["result_characters"] == 60_000 for each in found["results"][:49])
    assert inside(found, found["results"][49]["result"]) == "short"
    shown = len(inside(found, found["results"][0]["result"]))
    assert f'get_message(message_id="{ids[0]}", part="result", offset={shown})' in found["next"]


async def test_a_waiting_task_says_how_many_are_before_it(agent: Connect) -> None:
    """0: it is next; and a task that is delayed says until when."""
    async with agent("ann") as ann:
        *_, third = await posted(ann, "1", "2", "3")
        pending = await ann.call("await_result", message_id=third, timeout_seconds=0)
        assert (pending["state"], pending["ahead"]) == ("waiting", 2)
        later = (await ann.call("post_task", channel="writers", content="x", delay_seconds=600))["message_id"]
        pending = await ann.call("await_result", message_id=later, timeout_seconds=0)
        assert pending["state"] == "delayed"
        assert pending["available_at"].startswith("20")


async def told(client: Agent, tool: str, until: str, **arguments: Any) -> list[str]:
    """The progress lines of the call, which is cancelled at the first that holds the words."""
    lines: list[str] = []
    with anyio.fail_after(30), anyio.CancelScope() as scope:

        async def progress(done: float, total: float | None, message: str | None) -> None:
            lines.append(message or "")
            if until in lines[-1]:
                scope.cancel()

        await client.client.call_tool(tool, arguments, progress_callback=progress)
    return lines


@pytest.mark.parametrize(("transport", "mode"), ON_A_WIRE)
async def test_progress_says_where_the_task_stands_now(
    agent: Connect, bus: Bus, transport: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once and again and again: behind how many, claimed by whom and since when, how far, what it asks."""
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", 0.05)
    async with pair(agent, bus, transport, mode) as (ann, bob):
        first, second = await posted(ann, "1", "2")
        *_, line = await told(ann, "await_result", "behind", message_id=second)
        assert line.startswith("waiting behind 1 (0 of 50 s)")
        *_, line = await told(ann, "await_result", "next in line", message_id=first)
        assert line.startswith("waiting, next in line")
        await bob.call("claim_task", channel="writers")
        *_, line = await told(ann, "await_result", "claimed", message_id=first)
        assert line.startswith("claimed by bob ")
        async with anyio.create_task_group() as group:
            lines: list[str] = []

            async def watch() -> None:
                lines.extend(await told(ann, "await_result", "3/7", message_id=first))

            group.start_soon(watch)
            note = f"3/7 compiling\n{BIDI}{'x' * 200}"
            await bob.call("heartbeat", message_id=first, progress=note)
        assert r"s ago: 3/7 compiling\u000a\u202eevilxxx" in lines[-1]
        assert len(lines[-1]) < 200
        await bob.call("ack_task", message_id=first, result="ok")
        *_, line = await told(ann, "await_result", "1 of 2 finished", message_ids=[first, second])
        assert line.startswith("1 of 2 finished (0 of ")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_real_stdio_progress_says_so_too(home: Path, mode: str) -> None:
    """The process as a client starts it."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment(home), cwd=home)
    async with Client(stdio_client(command), mode=mode) as client:
        ann = Agent(client, None)
        (message_id,) = await posted(ann, "1")
        assert (await told(ann, "await_result", "next in line", message_id=message_id))[-1].startswith("waiting, next in line")
        await ann.call("claim_task", channel="writers")
        assert (await told(ann, "await_result", "claimed", message_id=message_id))[-1].startswith("claimed by ")


async def test_a_look_that_fails_ends_no_wait(agent: Connect, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line falls back to what is waited for; the outcome still comes."""
    looks = 0
    waits = bus.tasks.await_result

    async def fails_when_looking(*args: Any, **more: Any) -> Message:
        nonlocal looks
        if "wait" in more:
            return await waits(*args, **more)
        looks += 1
        raise errors.StoreUnavailable("the store does not answer")

    lines: list[str] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        lines.append(message or "")

    monkeypatch.setattr(bus.tasks, "await_result", fails_when_looking)
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", 0.02)
    async with agent("ann", mode="legacy") as ann, agent("bob") as bob, anyio.create_task_group() as group:
        (message_id,) = await posted(ann, "1")
        answers: list[Any] = []

        async def wait() -> None:
            arguments = {"message_id": message_id, "timeout_seconds": 60}
            answers.append(await ann.client.call_tool("await_result", arguments, progress_callback=progress))

        group.start_soon(wait)
        await eventually(lambda: looks > 2)
        await finished(bob)
        await eventually(lambda: answers)
    assert answers[0].structured_content["status"] == "done"
    assert lines[0].startswith(f"waiting for the outcome of {message_id} (0 of 60 s)")


async def test_who_asks_for_no_progress_costs_no_looks(agent: Connect, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that shows no progress makes the store work once, not every ten seconds."""
    calls: list[dict[str, Any]] = []
    waits = bus.tasks.await_result

    async def counted(*args: Any, **more: Any) -> Message:
        calls.append(more)
        return await waits(*args, **more)

    monkeypatch.setattr(bus.tasks, "await_result", counted)
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", 0.01)
    async with agent("ann", mode="legacy") as ann:
        (message_id,) = await posted(ann, "1")
        await ann.call("await_result", message_id=message_id, timeout_seconds=0.3)
    assert [set(each) for each in calls] == [{"wait"}]


def test_the_wait_tells_its_promise() -> None:
    """Ten seconds, as the documents say."""
    assert waiting._EVERY_SECONDS == 10  # pyright: ignore[reportPrivateUsage] - the one number that the documents name
    assert "10 s" in (wait_telling.__doc__ or "")
