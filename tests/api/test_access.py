"""Restricted channels over HTTP: ask, approve, deny."""

from __future__ import annotations

import pytest

from .conftest import Agent, posted, refused

pytestmark = pytest.mark.anyio


async def _restricted(owner: Agent, channel: str) -> str:
    answer = await owner.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "restricted"})
    assert answer.status_code == 201, answer.text
    return f"/v1/channels/{channel}/access-requests"


async def test_an_owner_lets_another_key_in(ann: Agent, bob: Agent, channel: str) -> None:
    """202 while it is pending, the same request when asked twice, 200 once one is a member."""
    requests = await _restricted(ann, channel)
    refused(await bob.get(f"/v1/channels/{channel}/messages"), 403, "channel_access_denied")
    asked = await bob.post(requests, json={"reason": "to help"})
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    request_id = asked.json()["request_id"]
    assert (await bob.post(requests)).json()["request_id"] == request_id
    (pending,) = (await ann.get(requests)).json()["data"]
    assert (pending["id"], pending["reason"], pending["status"]) == (request_id, "to help", "pending")
    approved = await ann.post(f"{requests}/{request_id}/approve")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert approved.json()["requester_key_id"] == bob.headers["X-API-Key"].partition(".")[0]
    assert (await bob.get(f"/v1/channels/{channel}/messages")).status_code == 200
    assert (await bob.post(requests)).json() == {"status": "already_member"}
    refused(await ann.post(f"{requests}/{request_id}/deny"), 409, "access_request_resolved")


async def test_a_denied_key_may_ask_again(ann: Agent, bob: Agent, channel: str) -> None:
    """A denial is no ban."""
    requests = await _restricted(ann, channel)
    first = (await bob.post(requests)).json()["request_id"]
    assert (await ann.post(f"{requests}/{first}/deny")).json()["status"] == "denied"
    assert (await bob.post(requests)).json()["request_id"] != first


async def test_only_the_owner_decides(ann: Agent, bob: Agent, channel: str) -> None:
    """Neither the requester nor a stranger sees or resolves requests; unknown ones are 404."""
    requests = await _restricted(ann, channel)
    request_id = (await bob.post(requests)).json()["request_id"]
    refused(await bob.get(requests), 403, "forbidden")
    refused(await bob.post(f"{requests}/{request_id}/approve"), 403, "forbidden")
    refused(await ann.post(f"{requests}/nonsense/approve"), 404, "access_request_not_found")
    refused(await ann.post(f"/v1/channels/{channel}-x/access-requests"), 404, "channel_not_found")


async def test_an_open_channel_needs_no_request(ann: Agent, bob: Agent, channel: str) -> None:
    """200 `open`, with a note."""
    await posted(ann, channel)
    answer = await bob.post(f"/v1/channels/{channel}/access-requests", json={"reason": "may I?"})
    assert (answer.status_code, answer.json()["status"]) == (200, "open")
    assert answer.json()["note"]
