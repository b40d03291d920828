"""Agents hand work over by tools alone: what each call answers, and what it says comes next."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from bus import Bus, NewChannel
from bus.models import Access

from .conftest import Connect, eventually, inside

pytestmark = pytest.mark.anyio


def said(page: dict[str, Any]) -> list[str]:
    return [inside(page, message["content"]) for message in page["messages"]]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_task_goes_out_and_its_result_comes_back(agent: Connect, mode: str) -> None:
    """The whole of it: post, claim, ack, await; in both eras of the protocol."""
    async with agent("ann", mode=mode) as ann, agent("bob", mode=mode) as bob:
        posted = await ann.call("post_task", channel="Ops Alerts", content="look", metadata={"n": 1}, actor_label="Ann")
        assert posted["message_id"].startswith("ops-alerts:")
        claimed = await bob.call("claim_task", channel="ops-alerts")
        assert claimed["status"] == "claimed"
        assert inside(claimed, claimed["task"]["content"]) == "look"
        assert claimed["task"]["metadata"] == {"n": 1}
        assert claimed["task"]["from"]["label"] == "Ann"
        assert claimed["task"]["from"]["key_id"].startswith("bck_")
        assert claimed["task"]["delivery"] == 1
        done = await bob.call("ack_task", message_id=posted["message_id"], result={"seen": [1, 2]})
        assert done["state"] == "done"
        outcome = await ann.call("await_result", message_id=posted["message_id"])
        assert outcome["status"] == "done"
        assert outcome["result"] == {"seen": [1, 2]}
        assert outcome["from"]["label"] == "bob"


async def test_whoever_waits_is_told_when_it_happens(agent: Connect) -> None:
    """A claim waits for a task that is not there yet, an await for an outcome; both hear of it at once, with progress."""
    heard: list[float] = []
    answers: list[dict[str, Any]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        heard.append(done)

    async with agent("ann") as ann, agent("bob") as bob, anyio.create_task_group() as group:

        async def work() -> None:
            claimed = await bob.client.call_tool(
                "claim_task", {"channel": "writers", "wait_seconds": 30}, progress_callback=progress
            )
            answer = claimed.structured_content or {}
            result = inside(answer, answer["task"]["content"]).upper()
            await bob.call("ack_task", message_id=answer["task"]["message_id"], result=result)

        await ann.call("broadcast", channel="news", content="starting")
        await ann.call("post_task", channel="writers", content="first")
        await ann.call("claim_task", channel="writers")
        group.start_soon(work)
        await eventually(lambda: heard)
        with anyio.fail_after(10):
            posted = await ann.call("post_task", channel="writers", content="quick")
            answers.append(await ann.call("await_result", message_id=posted["message_id"], timeout_seconds=30))
    assert inside(answers[0], answers[0]["result"]) == "QUICK"
    assert heard == [0]


async def test_when_the_time_is_up_the_answer_says_where_the_task_stands(agent: Connect) -> None:
    """Pending is a success: the state, the holder, and the exact call that goes on waiting."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="slow"))["message_id"]
        waiting = await ann.call("await_result", message_id=message_id, timeout_seconds=0)
        assert (waiting["status"], waiting["state"]) == ("pending", "waiting")
        assert f'await_result(message_id="{message_id}"' in waiting["next"]
        await bob.call("claim_task", channel="writers")
        held = await ann.call("await_result", message_id=message_id.partition(":")[2], channel="Writers", timeout_seconds=0.1)
        assert held["state"] == "in_flight"
        assert held["holder"]["actor"] == "bob"


async def test_a_task_that_failed_tells_its_reason(agent: Connect) -> None:
    """status failed ends a task for good, and the poster learns why."""
    async with agent("ann") as ann:
        message_id = (await ann.call("post_task", channel="writers", content="impossible"))["message_id"]
        await ann.call("claim_task", channel="writers")
        ended = await ann.call("ack_task", message_id=message_id, status="failed", reason="no such file")
        assert ended["state"] == "failed"
        outcome = await ann.call("await_result", message_id=message_id)
    assert outcome["status"] == "failed"
    assert inside(outcome, outcome["reason"]) == "no such file"
    assert "result" not in outcome


async def test_a_released_task_goes_to_the_next_agent(agent: Connect) -> None:
    """Giving back costs nothing: the next claim has it at once, or after the delay."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        assert (await ann.call("release_task", message_id=message_id, reason="not mine"))["state"] == "waiting"
        assert (await bob.call("claim_task", channel="writers"))["task"]["message_id"] == message_id
        assert (await bob.call("release_task", message_id=message_id, delay_seconds=300))["state"] == "delayed"
        none = await ann.call("claim_task", channel="writers", wait_seconds=0)
        assert "1 delayed until 20" in none["note"]


async def test_an_empty_claim_says_why(agent: Connect) -> None:
    """ "None" alone makes agents ask again and again: the counts say what they would be waiting for."""
    async with agent("ann") as ann, agent("bob") as bob:
        await ann.call("post_task", channel="writers", content="only one")
        await ann.call("claim_task", channel="writers")
        none = await bob.call("claim_task", channel="writers", wait_seconds=0)
        assert none["status"] == "none"
        assert none["note"] == "no task waiting on writers (1 in flight)"
        assert none["next"].startswith('claim_task(channel="writers") waits for one')
        error = await bob.refused("claim_task", channel="wrtiers")
        assert error.startswith("channel_not_found")
        assert "writers" in error
        assert "writers" in await bob.refused("subscribe", channel="writer")


async def test_a_session_is_reminded_of_what_it_still_holds(agent: Connect) -> None:
    """A task that a client's timeout hid from its model shows up again in the next claim's answer."""
    async with agent("ann") as ann:
        first = (await ann.call("post_task", channel="writers", content="1"))["message_id"]
        await ann.call("post_task", channel="writers", content="2")
        assert "still_held" not in await ann.call("claim_task", channel="writers")
        assert (await ann.call("claim_task", channel="writers"))["still_held"] == [first]


async def test_two_sessions_with_one_key_never_share_a_task(agent: Connect) -> None:
    """A claim belongs to actor and delivery: the other session on the same key cannot finish it."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        assert (await bob.refused("ack_task", message_id=message_id, result="mine")).startswith("not_claimed")
        assert (await ann.call("ack_task", message_id=message_id, result="ann's"))["state"] == "done"


async def test_a_restarted_session_goes_on_with_its_claim(agent: Connect) -> None:
    """The token of claim_task is good in the next process of the same user, under whatever label."""
    async with agent("ann") as ann:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        token = (await ann.call("claim_task", channel="writers"))["claim_token"]
    async with agent("ann-2") as again:
        assert (await again.refused("ack_task", message_id=message_id, result="x")).startswith("not_claimed")
        kept = await again.call("heartbeat", message_id=message_id, claim_token=token, lease_seconds=120)
        assert kept["lease_expires_at"]
        assert (await again.call("ack_task", message_id=message_id, result="later"))["state"] == "done"


async def test_news_reach_every_reader_at_its_own_cursor(agent: Connect) -> None:
    """next_cursor of one answer is since of the next; nothing is skipped, nothing is shown twice."""
    async with agent("ann") as ann, agent("bob") as bob:
        sent = await ann.call("broadcast", channel="news", content="one")
        await ann.call("broadcast", channel="news", content="two")
        first = await bob.call("subscribe", channel="news", limit=1)
        assert said(first) == ["one"]
        assert first["messages"][0]["from"]["label"] == "ann"
        rest = await bob.call("subscribe", channel="news", since=first["next_cursor"])
        assert said(rest) == ["two"]
        assert said(await bob.call("subscribe", channel="news", since=sent["cursor"])) == ["two"]
        empty = await bob.call("subscribe", channel="news", since=rest["next_cursor"], wait_seconds=0)
        assert empty["messages"] == []
        assert empty["note"] == "nothing after that cursor on news (2 messages kept)"
        assert (await ann.refused("claim_task", channel="news")).startswith("channel_not_claimable")
        assert (await ann.refused("post_task", channel="news", content="x")).startswith("channel_not_claimable")


async def test_a_named_reader_keeps_its_place(agent: Connect) -> None:
    """With actor the bus remembers the cursor that the reader came back with."""
    async with agent("ann") as ann:
        for word in ("one", "two"):
            await ann.call("broadcast", channel="news", content=word)
        page = await ann.call("subscribe", channel="news", actor="ann", limit=1)
        await ann.call("subscribe", channel="news", actor="ann", since=page["next_cursor"], limit=1)
        again = await ann.call("subscribe", channel="news", actor="ann")
        assert said(again) == ["two"]


async def test_posting_again_with_the_same_key_is_one_message(agent: Connect) -> None:
    """The way out of store_unavailable: repeat with the idempotency key."""
    async with agent("ann") as ann:
        task = {"channel": "writers", "content": "x", "idempotency_key": "k1"}
        first = await ann.call("post_task", **task)
        second = await ann.call("post_task", **task)
        assert second["message_id"] == first["message_id"]
        assert second["replayed"] is True
        assert (await ann.refused("post_task", **{**task, "content": "y"})).startswith("idempotency_conflict")


async def test_channels_are_listed_with_what_waits_there(agent: Connect, bus: Bus) -> None:
    """Where work is, and how to get into a channel that is not open."""
    async with agent("ann") as ann, agent("eve", config_dir=bus.settings.config_dir / "eve") as eve:
        await ann.call("post_task", channel="writers", content="x")
        await ann.call("broadcast", channel="news", content="x")
        assert ann.session is not None
        owner = (await ann.session.who(bus)).caller
        await bus.channels.create(owner, NewChannel("vault", access=Access.RESTRICTED, discoverable=True))
        listed = {item.pop("channel"): item for item in (await eve.call("list_channels"))["channels"]}
        assert listed["writers"] == {"mode": "claimable", "access": "open", "waiting": 1, "in_flight": 0}
        assert listed["news"] == {"mode": "broadcast", "access": "open", "messages": 1}
        assert listed["vault"]["member"] is False
        denied = await eve.refused("post_task", channel="vault", content="x")
        assert denied.startswith("channel_access_denied")
        assert "request_access" in denied
        asked = await eve.call("request_access", channel="vault", reason="please")
        assert asked["status"] == "pending"
        assert (await eve.call("request_access", channel="vault"))["request_id"] == asked["request_id"]
        assert (await eve.call("request_access", channel="writers"))["status"] == "open"
        assert (await ann.call("request_access", channel="vault"))["status"] == "already_member"
        page = await eve.call("list_channels", limit=1)
        assert f'cursor="{page["next_cursor"]}"' in page["next"]


async def test_answers_are_small_and_hold_no_nulls(agent: Connect) -> None:
    """Structured answer and text are the same JSON; what was sent is not sent back."""
    async with agent("ann") as ann:
        answer = await ann.client.call_tool("post_task", {"channel": "writers", "content": "a secret plan " * 50})
        block = answer.content[0]
        assert block.type == "text"
        assert json.loads(block.text) == answer.structured_content
        assert len(block.text) < 300
        assert "secret plan" not in block.text
        assert "null" not in block.text
