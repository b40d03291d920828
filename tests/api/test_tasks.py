"""Tasks over HTTP: claim the next, finish it, learn its result."""

from __future__ import annotations

import asyncio
import time

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def test_a_result_reaches_the_poster(ann: Agent, bob: Agent, channel: str) -> None:
    """Post, claim with a lease, ack with a result, read the result: the whole hand-over."""
    message = await posted(ann, channel, "review", metadata={"pr": 7})
    result = f"/v1/tasks/{message['id']}/result"
    refused(await ann.get(result), 404, "result_not_ready")
    assert (await ann.get(result, params={"wait": 0})).json()["status"] == "pending"
    claim = await claimed(bob, channel, lease_seconds=120)
    assert (claim["claimed"]["content"], claim["claimed"]["metadata"], claim["delivery"]) == ("review", {"pr": 7}, 1)
    assert claim["claimed"]["lease_expires_at"] == claim["lease_expires_at"]
    ack = await bob.post(
        f"/v1/messages/{message['id']}/ack", json={"claim_token": claim["claim_token"], "result": {"ok": [1, None, "é"]}}
    )
    assert (ack.status_code, ack.json()["message"]["outcome"]["state"]) == (200, "done")
    told = (await ann.get(result)).json()
    assert (told["task_id"], told["status"], told["result"]) == (message["id"], "done", {"ok": [1, None, "é"]})


async def test_a_waiting_poster_is_told_at_once(ann: Agent, bob: Agent, channel: str) -> None:
    """The waiting request returns when the ack is there, not when its wait is over."""
    message = await posted(ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(ann.get(f"/v1/tasks/{message['id']}/result", params={"wait": 15}))
        await claimed(bob, channel)
        begun = time.monotonic()
        await bob.post(f"/v1/messages/{message['id']}/ack", json={"status": "failed", "reason": "no way"})
    told = waiting.result().json()
    assert (told["status"], told["result"], told["reason"]) == ("failed", None, "no way")
    assert time.monotonic() - begun < 5


async def test_a_waiting_worker_gets_the_task_when_it_is_posted(ann: Agent, bob: Agent, channel: str) -> None:
    """A blocking claim over several channels, tried in the order given."""
    for name in (channel, f"{channel}-2"):
        await ann.post("/v1/channels", json={"name": name, "mode": "claimable"})
    async with asyncio.TaskGroup() as group:
        claim = group.create_task(bob.post("/v1/tasks/claim", json={"channels": [channel, f"{channel}-2"], "wait": 15}))
        message = await posted(ann, f"{channel}-2")
    assert claim.result().json()["claimed"]["id"] == message["id"]


async def test_an_empty_claim_says_why(ann: Agent, channel: str) -> None:
    """200 with null and the counts in words: none waiting, some in flight, some delayed."""
    await posted(ann, channel)
    await posted(ann, channel, delay_seconds=60)
    await claimed(ann, channel)
    answer = await ann.post("/v1/tasks/claim", json={"channel": channel})
    body = answer.json()
    assert (answer.status_code, body["claimed"], body["claim_token"]) == (200, None, None)
    assert body["note"].startswith(f"no task waiting on {channel} (1 in flight, 1 delayed")


async def test_a_held_task_is_kept_given_back_or_failed(ann: Agent, bob: Agent, channel: str) -> None:
    """Heartbeat renews the lease, release hands it out again, fail brings it back later; each shows the claim token."""
    message = await posted(ann, channel)
    path = f"/v1/messages/{message['id']}"
    refused(await bob.post(f"{path}/heartbeat", json={}), 409, "not_claimed")
    first = await claimed(bob, channel, lease_seconds=60)
    beat = (await bob.post(f"{path}/heartbeat", json={"claim_token": first["claim_token"], "lease_seconds": 600})).json()
    assert beat["lease_expires_at"] > first["lease_expires_at"]
    freed = await bob.post(f"{path}/release", json={"claim_token": first["claim_token"], "reason": "lunch"})
    assert (freed.json()["status"], freed.json()["message"]["status"]) == ("released", "unclaimed")
    second = await claimed(ann, channel)
    assert second["delivery"] > first["delivery"]
    late = await bob.post(f"{path}/ack", json={"claim_token": first["claim_token"]})
    assert late.status_code == 409
    assert late.json()["error"] in ("lease_lost", "not_claimed")
    failed = await ann.post(f"{path}/fail", json={"reason": "timeout"})
    assert (failed.json()["status"], failed.json()["message"]["state"]) == ("failed", "delayed")
    later = refused(await ann.post(f"{path}/claim", json={}), 409, "not_available_yet")
    assert later["available_at"] == failed.json()["message"]["available_at"]


async def test_a_task_can_be_called_off(ann: Agent, bob: Agent, channel: str) -> None:
    """Waiting: cancelled at once. In flight: its holder learns it, and whoever awaits the result too."""
    waiting = await posted(ann, channel)
    refused(await bob.post(f"/v1/messages/{waiting['id']}/cancel", json={}), 403, "forbidden")
    off = (await ann.post(f"/v1/messages/{waiting['id']}/cancel", json={"reason": "obsolete"})).json()
    assert (off["status"], off["message"]["outcome"]["state"], off["message"]["active"]) == ("cancelled", "cancelled", False)
    held = await posted(ann, channel)
    await claimed(bob, channel)
    noted = (await ann.post(f"/v1/messages/{held['id']}/cancel", json={})).json()
    assert (noted["status"], noted["message"]["cancel_requested"]) == ("cancel_requested", True)
    refused(await bob.post(f"/v1/messages/{held['id']}/heartbeat", json={}), 409, "task_cancelled")
    assert (await ann.get(f"/v1/tasks/{held['id']}/result")).json()["status"] == "cancelled"
    done = await posted(ann, channel)
    await claimed(bob, channel)
    await bob.post(f"/v1/messages/{done['id']}/ack", json={})
    refused(await ann.post(f"/v1/messages/{done['id']}/cancel", json={}), 409, "already_finished")


async def test_dead_letters_are_seen_and_put_back(ann: Agent, bob: Agent, channel: str) -> None:
    """A task past its deliveries keeps their story, and a redrive makes a new task of it."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable", "max_deliveries": 1})
    message = await posted(ann, channel, "hard")
    await claimed(bob, channel)
    await bob.post(f"/v1/messages/{message['id']}/fail", json={"reason": "cannot"})
    assert (await ann.get(f"/v1/tasks/{message['id']}/result")).json()["status"] == "dead"
    (letter,) = (await ann.get(f"/v1/channels/{channel}/dead-letters")).json()["data"]
    assert (letter["reason"], letter["message"]["content"]) == ("dead", "hard")
    assert [(each["number"], each["reason"]) for each in letter["deliveries"]] == [(1, "cannot")]
    refused(await ann.post(f"/v1/channels/{channel}/redrive", json={"ids": [f"{channel}:1-0"]}), 404, "dead_letter_not_found")
    refused(await bob.post(f"/v1/channels/{channel}/redrive", json={"ids": [letter["id"]]}), 403, "forbidden")
    (back,) = (await ann.post(f"/v1/channels/{channel}/redrive", json={"ids": [letter["id"]]})).json()["redriven"]
    assert back["dead_letter_id"] == letter["id"]
    assert (await claimed(bob, channel))["claimed"]["id"] == back["message_id"]
    refused(await ann.get(f"/v1/channels/{channel}/dead-letters?limit=0"), 422, "invalid_limit")


async def test_a_result_is_not_for_strangers(ann: Agent, bob: Agent, channel: str) -> None:
    """Neither awaited nor shown."""
    message = await posted(ann, channel)
    claim = await claimed(ann, channel)
    await ann.post(f"/v1/messages/{message['id']}/ack", json={"claim_token": claim["claim_token"], "result": "secret"})
    refused(await bob.get(f"/v1/tasks/{message['id']}/result"), 403, "forbidden")
    seen = (await bob.get(f"/v1/messages/{message['id']}")).json()
    assert (seen["outcome"]["result"], seen["result_withheld"]) == (None, True)


async def test_bodies_name_channels_and_actors_by_any_of_their_names(ann: Agent, bob: Agent, channel: str) -> None:
    """Id, alias, or the name however it is written, in every verb that takes one."""
    await ann.post("/v1/channels", json={"name": f"The {channel}", "mode": "claimable"})
    assert (await ann.post(f"/v1/channels/the-{channel}/aliases", json={"alias": f"short-{channel}"})).status_code == 201
    worker = f"worker-{channel}"
    await bob.post("/v1/actors", json={"name": worker})
    assert (await bob.post(f"/v1/actors/{worker}/aliases", json={"alias": f"w-{channel}"})).status_code == 201
    for name in (f"the-{channel}", f"THE {channel}", f"short-{channel}"):
        message = await posted(ann, name)
        assert message["channel_id"] == f"the-{channel}"
        assert (await claimed(bob, name, actor=f"w-{channel}"))["actor"] == worker
        rows = (await bob.post("/v1/tasks/subscribe", json={"channel": name, "cursor": 0, "limit": 100})).json()["data"]
        assert message["id"] in [row["id"] for row in rows]
        path = f"/v1/messages/{message['id']}"
        assert (await bob.post(f"{path}/release", json={"actor": f"w-{channel}"})).status_code == 200
        again = (await bob.post(f"{path}/claim-with-lease", json={"actor": worker})).json()
        assert again["message"]["claimed_by"]["name"] == worker
        assert (await bob.post(f"{path}/ack", json={"actor": f"w-{channel}"})).json()["status"] == "acknowledged"


@pytest.mark.parametrize("verb", ["post", "claim", "subscribe", "broadcast", "post-with-result"])
async def test_a_body_without_its_channel_is_refused(ann: Agent, verb: str) -> None:
    """What is missing is named."""
    found = refused(await ann.post(f"/v1/tasks/{verb}", json={"content": "x"}), 422, "missing_field")
    assert found["field"] == "channel"


async def test_a_cursor_goes_before_since(ann: Agent, channel: str) -> None:
    """`since` is the older name of the same field."""
    first, second = [await posted(ann, channel, str(n)) for n in range(2)]
    send = {"channel": channel, "cursor": first["id"], "since": "0"}
    page = (await ann.post("/v1/tasks/subscribe", json=send)).json()
    assert [row["id"] for row in page["data"]] == [second["id"]]
