"""Agents of several programs, users and protocols meet by nothing but a channel's name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.mcp_server.processes import ended, served

from .conftest import answered, fenced, minted, over_http, serve, told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_stdio_session_and_an_http_client_hand_work_to_each_other(home: Path, mode: str) -> None:
    """Both directions through one server, waiting on both sides, in both eras of the protocol."""
    async with (
        serve(home) as url,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_AGENT_LABEL="ann") as ann,
        over_http(url, await minted(url, "bob"), mode) as bob,
    ):
        posted = await told(ann, "post_task", channel="Ops Alerts", content="look", metadata={"n": [1]})
        waiting = await ann.start_call("await_result", message_id=posted["message_id"], timeout_seconds=60)
        claimed = await bob("claim_task", channel="ops-alerts", wait_seconds=10)
        task = claimed["task"]
        assert (task["message_id"], task["metadata"]) == (posted["message_id"], {"n": [1]})
        assert task["content"] == fenced(claimed, "look")
        assert task["from"]["label"] == "ann"
        await bob("ack_task", message_id=task["message_id"], result={"seen": True})
        outcome = await answered(ann, waiting)
        assert (outcome["status"], outcome["result"], outcome["from"]["label"]) == ("done", {"seen": True}, "bob")

        claiming = await ann.start_call("claim_task", channel="ops-alerts", wait_seconds=60)
        back = await bob("post_task", channel="OPS ALERTS", content="and you")
        assert (await answered(ann, claiming))["task"]["message_id"] == back["message_id"]
        async with asyncio.TaskGroup() as group:
            awaiting = group.create_task(bob("await_result", message_id=back["message_id"], timeout_seconds=20))
            await told(ann, "ack_task", message_id=back["message_id"], status="failed", reason="no time")
        assert awaiting.result()["status"] == "failed"
        assert awaiting.result()["reason"] == fenced(awaiting.result(), "no time")


async def test_users_with_keys_of_their_own_meet_by_the_channel_s_name(home: Path) -> None:
    """As if on three machines: each mints its own key, one worker gets the task, and only its parties see the result."""
    async with (
        serve(home) as url,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_CONFIG_DIR=str(home / "1"), BACKCHANNEL_AGENT_LABEL="a") as ann,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_CONFIG_DIR=str(home / "2"), BACKCHANNEL_AGENT_LABEL="b") as bob,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_CONFIG_DIR=str(home / "3"), BACKCHANNEL_AGENT_LABEL="c") as cam,
    ):
        posted = await told(ann, "post_task", channel="Night Shift", content="look")
        claims = [await one.start_call("claim_task", channel="night-shift", wait_seconds=1) for one in (bob, cam)]
        answers = [await answered(one, claim) for one, claim in zip((bob, cam), claims, strict=True)]
        assert sorted(answer["status"] for answer in answers) == ["claimed", "none"]
        worker, other = (bob, cam) if answers[0]["status"] == "claimed" else (cam, bob)
        task = next(answer["task"] for answer in answers if answer["status"] == "claimed")
        keys = {number: (home / str(number) / "key").read_text().partition(".")[0] for number in (1, 2, 3)}
        assert len(set(keys.values())) == 3
        assert task["from"]["key_id"] == keys[1]
        stolen = await other.call("ack_task", message_id=posted["message_id"], result="mine")
        assert stolen["content"][0]["text"].startswith("not_claimed: ")
        await told(worker, "ack_task", message_id=posted["message_id"], result=7)
        assert (await told(ann, "await_result", message_id=posted["message_id"]))["result"] == 7
        peeked = await other.call("await_result", message_id=posted["message_id"])
        assert peeked["isError"]
        assert peeked["content"][0]["text"].startswith("forbidden: ")


async def test_a_killed_worker_s_task_passes_on_over_http_too(home: Path) -> None:
    """The lease is renewed by the session's process, so it ends with it, though the server lives on."""
    async with (
        serve(home) as url,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_AGENT_LABEL="ann") as ann,
        served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_AGENT_LABEL="bob") as bob,
    ):
        posted = await told(bob, "post_task", channel="writers", content="look")
        assert (await told(ann, "claim_task", channel="writers", lease_seconds=1))["task"]["delivery"] == 1
        claiming = await bob.start_call("claim_task", channel="writers", wait_seconds=60)
        awaiting = await bob.start_call("await_result", message_id=posted["message_id"], timeout_seconds=60)
        ann.process.kill()
        await ended(ann.process, 5)
        again = (await answered(bob, claiming))["task"]
        assert (again["message_id"], again["delivery"]) == (posted["message_id"], 2)
        await told(bob, "ack_task", message_id=posted["message_id"], result="saved")
        outcome = await answered(bob, awaiting)
        assert outcome["result"] == fenced(outcome, "saved")
