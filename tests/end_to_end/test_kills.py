"""SIGKILL at the worst moment: whoever waits gets what is theirs, and what was answered is there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.mcp_server.processes import ended, served
from tests.servers import Server

from .conftest import SOON, answered, fenced, minted, serve, told, until_listening, until_ready

pytestmark = pytest.mark.anyio


async def test_waits_outlive_the_process_that_started_the_embedded_store(home: Path) -> None:
    """kill -9 of the session that started the server: another's claim and await go on, a third session joins."""
    async with served(home, BACKCHANNEL_AGENT_LABEL="ann") as ann, served(home, BACKCHANNEL_AGENT_LABEL="bob") as bob:
        await told(ann, "post_task", channel="writers", content="to be done first")
        first = await told(bob, "claim_task", channel="writers")
        await told(bob, "ack_task", message_id=first["task"]["message_id"], result="done")
        posted = await told(bob, "post_task", channel="readers", content="look")
        claiming = await bob.start_call("claim_task", channel="writers", wait_seconds=60)
        awaiting = await bob.start_call("await_result", message_id=posted["message_id"], timeout_seconds=60)
        stream_id = posted["message_id"].partition(":")[2]
        await until_listening(home / "data" / "bus.sock", "bc:{writers}:stream")
        await until_listening(home / "data" / "bus.sock", f"bc:{{readers}}:result:{stream_id}")
        ann.process.kill()
        await ended(ann.process, 5)
        async with served(home, BACKCHANNEL_AGENT_LABEL="cam") as cam:
            again = await told(cam, "post_task", channel="writers", content="now")
            assert (await answered(bob, claiming))["task"]["message_id"] == again["message_id"]
            assert (await told(cam, "claim_task", channel="readers"))["task"]["message_id"] == posted["message_id"]
            await told(cam, "ack_task", message_id=posted["message_id"], result="seen")
            outcome = await answered(bob, awaiting)
            assert outcome["result"] == fenced(outcome, "seen")


async def post_on(http: httpx.AsyncClient, channel: str, kept: list[str]) -> None:
    """Post one task after the other, for ever; remember those that were answered."""
    number = 0
    while True:
        number += 1
        answer = await http.post("/v1/tasks/post", json={"channel": channel, "content": f"do {number}"})
        if answer.status_code == 201:
            kept.append(answer.json()["message"]["id"])
        else:
            assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable"), answer.text


async def claimable(http: httpx.AsyncClient, channel: str) -> list[str]:
    """The ids of all tasks that can be claimed, each finished when it was taken."""
    found: list[str] = []
    while True:
        answer = (await http.post("/v1/tasks/claim", json={"channel": channel})).json()
        if answer["claimed"] is None:
            return found
        found.append(answer["claimed"]["id"])
        done = await http.post(f"/v1/messages/{found[-1]}/ack", json={"claim_token": answer["claim_token"]})
        assert done.status_code == 200, done.text


async def until_more(kept: list[str], count: int) -> None:
    async with asyncio.timeout(SOON):
        before = len(kept)
        while len(kept) < before + count:  # noqa: ASYNC110  # a list tells no event
            await asyncio.sleep(0.01)


async def test_a_store_that_is_killed_mid_wait_costs_nobody_anything(home: Path) -> None:
    """Started before its store, which is killed twice under load: both waits get theirs and no answered post is lost.

    With appendfsync always: under everysec a server whose disk is slow answers up to 2 s before it writes.
    """
    (home / "redis").mkdir()
    store = Server(home / "redis", tcp=True)
    try:
        async with (
            serve(home, BACKCHANNEL_REDIS_URL=store.url) as url,
            served(home, BACKCHANNEL_REDIS_URL=store.url, BACKCHANNEL_AGENT_LABEL="ann") as ann,
            served(home, BACKCHANNEL_BASE_URL=url, BACKCHANNEL_AGENT_LABEL="bob") as bob,
            httpx.AsyncClient(base_url=url, timeout=SOON) as http,
        ):
            await until_ready(http, 503)
            store.start()
            await until_ready(http, 200)
            http.headers["X-API-Key"] = await minted(url, "cam")
            for channel in ("writers", "load"):
                assert (await http.post("/v1/channels", json={"name": channel, "mode": "claimable"})).status_code == 201
            posted = await told(bob, "post_task", channel="readers", content="look")
            claiming = await ann.start_call("claim_task", channel="writers", wait_seconds=120)
            awaiting = await bob.start_call("await_result", message_id=posted["message_id"], timeout_seconds=120)
            stream_id = posted["message_id"].partition(":")[2]
            await until_listening(store.socket, "bc:{writers}:stream")
            await until_listening(store.socket, f"bc:{{readers}}:result:{stream_id}")
            kept: list[str] = []
            async with asyncio.TaskGroup() as group:
                posting = group.create_task(post_on(http, "load", kept))
                for _ in range(2):
                    await until_more(kept, 20)
                    store.kill()
                    store.start()
                await until_more(kept, 20)
                posting.cancel()

            again = await http.post("/v1/tasks/post", json={"channel": "writers", "content": "now"})
            assert (await answered(ann, claiming))["task"]["message_id"] == again.json()["message"]["id"]
            task = (await http.post("/v1/tasks/claim", json={"channel": "readers"})).json()
            assert task["claimed"]["id"] == posted["message_id"]
            result = {"claim_token": task["claim_token"], "result": 7}
            acked = await http.post(f"/v1/messages/{posted['message_id']}/ack", json=result)
            assert acked.status_code == 200, acked.text
            assert (await answered(bob, awaiting))["result"] == 7
            found = await claimable(http, "load")
            assert set(kept) <= set(found), "a post that was answered is gone"
            assert len(found) == len(set(found))
            assert found == sorted(found, key=lambda of: [int(part) for part in re.findall(r"\d+", of)]), "not in posting order"
    finally:
        store.stop()
