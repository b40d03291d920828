"""Claims by a lease token, and the verbs that are two in one, as first clients call them."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime
from typing import Any

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


def lasts(body: dict[str, Any]) -> float:
    """Seconds from now, or nearly, to the end of the lease."""
    end = datetime.fromisoformat(body["expires_at"])
    return (end - datetime.now(end.tzinfo)).total_seconds()


async def leased(agent: Agent, message_id: str, **fields: Any) -> dict[str, Any]:
    answer = await agent.post(f"/v1/messages/{message_id}/claim-with-lease", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def token(message_id: str, claim_token: str) -> str:
    return base64.urlsafe_b64encode(f"{message_id}\n{claim_token}".encode()).decode().rstrip("=")


async def test_a_lease_is_renewed_by_its_token(ann: Agent, bob: Agent, channel: str) -> None:
    """Claim for a given time, renew it, finish with the plain verbs; the token is opaque text that fits into a path."""
    message = await posted(ann, channel)
    lease = await leased(bob, message["id"], actor=f"w/{channel} \u00e9", metadata={"pid": 7})
    assert set(lease) == {"lease_token", "expires_at", "message"}
    assert 290 < lasts(lease) <= 300
    assert lease["message"]["lease_expires_at"] == lease["expires_at"]
    assert not set(lease["lease_token"]) & set("/+=?%# ")
    beat = await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={"lease_seconds": 3600})
    assert (beat.status_code, beat.json()["lease_token"]) == (200, lease["lease_token"])
    assert 3590 < lasts(beat.json()) <= 3600
    shorter = await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={})
    assert 290 < lasts(shorter.json()) <= 300
    done = await bob.post(f"/v1/messages/{message['id']}/ack", json={"actor": f"w/{channel} \u00e9"})
    assert (done.status_code, done.json()["status"]) == (200, "acknowledged")
    refused(await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={}), 410, "lease_expired")


async def test_a_leased_task_is_given_back_without_naming_anybody(ann: Agent, bob: Agent, channel: str) -> None:
    """The holder's key is enough where it claimed under its own label."""
    message = await posted(ann, channel)
    lease = await leased(bob, message["id"])
    freed = await bob.post(f"/v1/messages/{message['id']}/release", json={})
    assert (freed.status_code, freed.json()["status"]) == (200, "released")
    refused(await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={}), 410, "lease_expired")
    again = await leased(ann, message["id"])
    refused(await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={}), 410, "lease_expired")
    assert (await ann.post(f"/v1/leases/{again['lease_token']}/heartbeat", json={})).status_code == 200


async def test_who_holds_a_task_cannot_lease_it_again(ann: Agent, bob: Agent, channel: str) -> None:
    """One lease at a time, its holder's own included; racing for it, one wins."""
    message = await posted(ann, channel)
    path = f"/v1/messages/{message['id']}/claim-with-lease"
    answers = await asyncio.gather(*(bob.post(path, json={"actor": f"{channel}-{n}"}) for n in range(6)))
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    held = [refused(answer, 409, "already_claimed") for answer in answers if answer.status_code != 200]
    holder = won["message"]["claimed_by"]["name"]
    assert [each["holder"] for each in held] == [holder] * 5
    own = refused(await bob.post(path, json={"actor": holder}), 409, "already_claimed")
    assert (own["holder"], own["lease_expires_at"]) == (holder, won["expires_at"])
    refused(await ann.post(path, json={}), 409, "already_claimed")


async def test_a_lease_token_is_no_capability(ann: Agent, bob: Agent, channel: str) -> None:
    """Whoever finds one cannot renew with another key; what is no token, or names another delivery, is no lease."""
    lease = await leased(bob, (await posted(ann, channel))["id"])
    refused(await ann.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={}), 403, "actor_forbidden")
    task = lease["message"]["id"]
    wrong = [token(task, f"2~{lease['message']['claimed_by']['name']}"), token(task, "1~somebody-" + channel), token(task, ""),
             token(f"{channel}:1-1", "1~x-" + channel), token("x", "y"), token(task, "9" * 40 + "~x"), "x", "%20", "%C3%A9",
             "A" * 5000, base64.urlsafe_b64encode(b"\xff\xfe").decode()]  # fmt: skip
    for bad in wrong:
        refused(await bob.post(f"/v1/leases/{bad}/heartbeat", json={}), 410, "lease_expired")
    assert (await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={})).status_code == 200


@pytest.mark.parametrize("seconds", [29, 3601, 0, -1, 60.5, "60", True, 10**30, None])
async def test_a_lease_has_its_bounds(ann: Agent, channel: str, seconds: object) -> None:
    """30 to 3600 whole seconds."""
    message = await posted(ann, channel)
    path = f"/v1/messages/{message['id']}/claim-with-lease"
    refused(await ann.post(path, json={"lease_seconds": seconds}), 422, "invalid_lease_seconds")
    lease = await leased(ann, message["id"], lease_seconds=30)
    refused(
        await ann.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={"lease_seconds": seconds}),
        422,
        "invalid_lease_seconds",
    )


async def test_a_lease_of_a_cancelled_task_says_so(ann: Agent, bob: Agent, channel: str) -> None:
    """Its holder is to stop, not to claim anew."""
    lease = await leased(bob, (await posted(ann, channel))["id"])
    await ann.post(f"/v1/messages/{lease['message']['id']}/cancel", json={})
    for _ in range(2):
        refused(await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={}), 409, "task_cancelled")


async def test_claim_and_ack_in_one_call(ann: Agent, bob: Agent, channel: str) -> None:
    """Also of what the actor holds already; not of what somebody else holds, and not twice."""
    one, two, three = [await posted(ann, channel, str(n)) for n in range(3)]
    done = await bob.post("/v1/tasks/claim-and-ack", json={"message_id": one["id"], "metadata": {}})
    assert (done.status_code, done.json()["status"]) == (200, "claimed_and_acked")
    assert (done.json()["message"]["state"], len(done.json()["message"]["acknowledged_by"])) == ("done", 1)
    refused(await bob.post("/v1/tasks/claim-and-ack", json={"message_id": one["id"]}), 409, "already_finished")
    assert (await claimed(bob, channel))["claimed"]["id"] == two["id"]
    refused(await ann.post("/v1/tasks/claim-and-ack", json={"message_id": two["id"]}), 409, "already_claimed")
    assert (await bob.post("/v1/tasks/claim-and-ack", json={"message_id": two["id"]})).status_code == 200
    refused(await bob.post("/v1/tasks/claim-and-ack", json={}), 422, "missing_field")
    refused(await bob.post("/v1/tasks/claim-and-ack", json={"message_id": f"{channel}:1-1"}), 404, "message_not_found")
    under = await bob.post("/v1/tasks/claim-and-ack", json={"message_id": three["id"], "actor": f"w-{channel}"})
    assert under.json()["message"]["claimed_by"]["name"] == f"w-{channel}"


async def test_a_result_posted_as_a_text(ann: Agent, bob: Agent, channel: str) -> None:
    """Post with a place for the result; the holder alone fills it, once; the poster finds it there."""
    send = {"channel": channel, "content": "sum", "metadata": {"n": 1}}
    first = await ann.post("/v1/tasks/post-with-result", json=send, headers={"Idempotency-Key": "k"})
    again = await ann.post("/v1/tasks/post-with-result", json=send, headers={"Idempotency-Key": "k"})
    body, task = first.json(), first.json()["message"]["id"]
    assert (first.status_code, body["channel"], body["result_channel"]) == (201, channel, None)
    assert (again.json()["message"]["id"], again.headers["X-Idempotent-Replay"]) == (task, "true")
    assert body["result_url"] == f"/v1/tasks/{task}/result"
    refused(await ann.get(body["result_url"]), 404, "result_not_ready")
    refused(await bob.post(body["result_url"], json={"content": "42"}), 409, "not_claimed")
    await claimed(bob, channel)
    refused(await ann.post(body["result_url"], json={"content": "forged"}), 409, "not_claimed")
    for bad, code in (({}, "missing_field"), ({"content": " \n"}, "invalid_string"), ({"content": 42}, "invalid_string")):
        refused(await bob.post(body["result_url"], json=bad), 422, code)
    told = await bob.post(body["result_url"], json={"content": "42", "actor_label": "calculator", "metadata": {"sure": True}})
    assert (told.status_code, told.json()["result_channel"], told.json()["message"]["state"]) == (201, None, "done")
    result = {"content": "42", "actor_label": "calculator", "metadata": {"sure": True}}
    await bob.post(body["result_url"], json={"content": "43"})
    found = await ann.get(body["result_url"])
    assert (found.status_code, found.json()["task_id"], found.json()["result"]) == (200, task, result)
    assert (await ann.get(body["result_url"], params={"wait": 5})).json() == found.json()
    refused(await ann.get(f"/v1/tasks/{channel}:1-1/result"), 404, "result_not_ready")
    refused(await ann.get(f"/v1/tasks/{channel}:1-1/result", params={"wait": 0}), 404, "message_not_found")


async def test_a_task_without_a_result_is_ready_when_it_has_ended(ann: Agent, channel: str) -> None:
    """Who asks without waiting learns that nothing will come."""
    message = await posted(ann, channel)
    await ann.post(f"/v1/messages/{message['id']}/cancel", json={"reason": "obsolete"})
    found = (await ann.get(f"/v1/tasks/{message['id']}/result")).json()
    assert (found["status"], found["result"], found["reason"]) == ("cancelled", None, "obsolete")
    news = (await ann.post("/v1/tasks/broadcast", json={"channel": f"{channel}-news", "content": "x"})).json()["message"]
    refused(await ann.get(f"/v1/tasks/{news['id']}/result"), 404, "result_not_ready")


async def test_a_session_for_those_who_are_invited(ann: Agent, bob: Agent, channel: str) -> None:
    """A restricted channel with a name of its own, and the invitation that lets others in; again, it is the same channel."""
    made = await ann.post("/v1/tasks/create-claimable-session", json={})
    assert made.status_code == 201, made.text
    session, invitation = made.json()["channel"], made.json()["invitation"]
    assert session["name"].startswith("session-")
    assert (session["mode"], session["access"], session["discoverable"]) == ("claimable", "restricted", False)
    assert (await ann.post("/v1/tasks/create-claimable-session", json={})).json()["channel"]["id"] != session["id"]
    refused(await bob.post("/v1/tasks/claim", json={"channel": session["id"]}), 403, "channel_access_denied")
    assert (await bob.get(f"/v1/channel-invitations/{invitation['id']}")).status_code == 200
    message = await posted(ann, session["id"])
    assert (await claimed(bob, session["id"]))["claimed"]["id"] == message["id"]
    named = {"name": channel, "description": "the release"}
    both = [(await ann.post("/v1/tasks/create-claimable-session", json=named)).json() for _ in range(2)]
    assert [each["channel"]["description"] for each in both] == ["the release"] * 2
    assert both[0]["channel"]["id"] == both[1]["channel"]["id"] == channel
    assert both[0]["invitation"]["id"] != both[1]["invitation"]["id"]
    refused(await bob.post("/v1/tasks/create-claimable-session", json=named), 403, "channel_access_denied")
    await ann.post("/v1/channels", json={"name": f"{channel}-open", "mode": "claimable"})
    taken = await ann.post("/v1/tasks/create-claimable-session", json={"name": f"{channel}-open"})
    refused(taken, 409, "channel_exists")
    refused(await ann.post("/v1/tasks/create-claimable-session", json={"name": 7}), 422, "invalid_string")


async def test_each_verb_needs_its_scope(ann: Agent, bob: Agent, channel: str) -> None:
    """A key that may only claim and ack is refused the rest, and learns by an error what it had finished before."""
    tasks = [(await posted(ann, channel))["id"] for _ in range(2)]
    lease = await leased(bob, tasks[0])
    scopes = {"scopes": ["messages:claim", "messages:ack"]}
    assert (await bob.put("/v1/keys/me/scopes", json=scopes)).status_code == 200
    assert (await bob.post(f"/v1/leases/{lease['lease_token']}/heartbeat", json={})).status_code == 200
    assert (await bob.post("/v1/tasks/claim-and-ack", json={"message_id": tasks[0]})).status_code == 200
    refused(await bob.post(f"/v1/messages/{tasks[0]}/claim", json={}), 409, "already_finished")
    for path, body in (
        (f"/v1/tasks/{tasks[0]}/result", None),
        ("/v1/tasks/post-with-result", {"channel": channel, "content": "x"}),
        ("/v1/tasks/create-claimable-session", {}),
        ("/v1/tasks/subscribe", {"channel": channel}),
    ):
        answer = await bob.get(path) if body is None else await bob.post(path, json=body)
        refused(answer, 403, "insufficient_scope")
    assert (await bob.put("/v1/keys/me/scopes", json={"scopes": ["messages:claim"]})).status_code == 200
    half = await bob.post("/v1/tasks/claim-and-ack", json={"message_id": tasks[1]})
    assert refused(half, 403, "insufficient_scope")["required_scope"] == "messages:ack"
    assert (await ann.get(f"/v1/messages/{tasks[1]}")).json()["status"] == "unclaimed"
    assert (await ann.put("/v1/keys/me/scopes", json={"scopes": ["channels:write", "channels:read"]})).status_code == 200
    refused(await ann.post("/v1/tasks/create-claimable-session", json={"name": f"{channel}-s"}), 403, "insufficient_scope")
    refused(await ann.get(f"/v1/channels/{channel}-s"), 404, "channel_not_found")
    assert (await bob.put("/v1/keys/me/scopes", json={"scopes": []})).status_code == 200
    for path in (f"/v1/messages/{tasks[1]}/claim-with-lease", f"/v1/leases/{lease['lease_token']}/heartbeat"):
        refused(await bob.post(path, json={}), 403, "insufficient_scope")
