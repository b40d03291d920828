"""Members over HTTP: the contract's shapes and statuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


def key_id(agent: Agent) -> str:
    return agent.headers["X-API-Key"].partition(".")[0]


async def _restricted(owner: Agent, channel: str) -> str:
    answer = await owner.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "restricted"})
    assert answer.status_code == 201, answer.text
    return f"/v1/channels/{channel}"


async def test_members_come_and_go(ann: Agent, bob: Agent, channel: str) -> None:
    """201 with the member, also when it is one already; 200 with `removed`, also when it is none."""
    path = await _restricted(ann, channel)
    created_at = (await ann.get(path)).json()["created_at"]
    owner = {
        "id": f"{channel}:{key_id(ann)}", "channel_id": channel, "key_id": key_id(ann), "granted_at": created_at,
        "granted_via_invitation_id": None,
    }  # fmt: skip
    assert (await ann.get(f"{path}/members")).json() == {"data": [owner]}
    added = await ann.post(f"{path}/members", json={"key_id": key_id(bob)})
    assert added.status_code == 201
    assert added.json() == owner | {
        "id": f"{channel}:{key_id(bob)}", "key_id": key_id(bob), "granted_at": added.json()["granted_at"]
    }  # fmt: skip
    again = await ann.post(f"{path}/members", json={"key_id": key_id(bob)})
    assert (again.status_code, again.json()) == (201, added.json())
    assert (await bob.get(path)).status_code == 200
    for _ in range(2):
        removed = await ann.delete(f"{path}/members/{key_id(bob)}")
        assert (removed.status_code, removed.json()) == (200, {"status": "removed"})
    refused(await bob.get(path), 403, "channel_access_denied")


async def test_what_happened_is_a_page_of_events(ann: Agent, bob: Agent, channel: str) -> None:
    """Oldest first, in the contract's shape; `since` and `cursor` go on, and an empty page repeats them."""
    path = await _restricted(ann, channel)
    empty = (await ann.get(f"{path}/events")).json()
    assert empty == {"data": [], "limit": 50, "next_cursor": None}
    await ann.post(f"{path}/members", json={"key_id": key_id(bob)})
    await ann.delete(f"{path}/members/{key_id(bob)}")
    page = (await ann.get(f"{path}/events?limit=1")).json()
    (event,) = page["data"]
    assert event == {
        "id": event["id"], "channel_id": channel, "event_type": "member_added", "actor_key_id": key_id(ann),
        "subject_key_id": key_id(bob), "invitation_id": None, "metadata": {}, "created_at": event["created_at"],
        "expires_at": event["expires_at"],
    }  # fmt: skip
    for name in ("since", "cursor"):
        rest = (await ann.get(f"{path}/events", params={name: page["next_cursor"]})).json()
        assert [each["event_type"] for each in rest["data"]] == ["member_removed"]
        last = (await ann.get(f"{path}/events", params={name: rest["next_cursor"]})).json()
        assert (last["data"], last["next_cursor"]) == ([], rest["next_cursor"])


async def test_members_are_the_owner_s_matter(
    ann: Agent, bob: Agent, agents: Callable[[str], Awaitable[Agent]], channel: str
) -> None:
    """403 for a member and for a stranger alike, 404 without a channel, 409 for the owner itself."""
    path = await _restricted(ann, channel)
    await ann.post(f"{path}/members", json={"key_id": key_id(bob)})
    for agent in (bob, await agents("eve")):
        refused(await agent.get(f"{path}/members"), 403, "forbidden")
        refused(await agent.post(f"{path}/members", json={"key_id": "bck_x"}), 403, "forbidden")
        refused(await agent.delete(f"{path}/members/{key_id(bob)}"), 403, "forbidden")
        refused(await agent.get(f"{path}/events"), 403, "forbidden")
    refused(await ann.get(f"{path}-none/members"), 404, "channel_not_found")
    refused(await ann.get(f"{path}-none/events"), 404, "channel_not_found")
    refused(await ann.delete(f"{path}/members/{key_id(ann)}"), 409, "cannot_remove_owner")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_field"), ({"key_id": None}, "invalid_string"), ({"key_id": ""}, "invalid_string"),
        ({"key_id": "  "}, "invalid_string"), ({"key_id": 7}, "invalid_string"), ({"key_id": "bck_x.y"}, "invalid_key_id"),
        ({"key_id": "a b"}, "invalid_key_id"), ({"key_id": "x" * 201}, "invalid_key_id"),
    ],
)  # fmt: skip
async def test_a_malformed_member_is_refused(ann: Agent, channel: str, body: dict[str, object], code: str) -> None:
    """422 with the field named."""
    path = await _restricted(ann, channel)
    assert refused(await ann.post(f"{path}/members", json=body), 422, code)["field"] == "key_id"


@pytest.mark.parametrize("limit", ["0", "101", "x", "1.5", ""])
async def test_a_page_of_events_has_a_limit(ann: Agent, channel: str, limit: str) -> None:
    """1 to 100, and nothing else."""
    path = await _restricted(ann, channel)
    refused(await ann.get(f"{path}/events", params={"limit": limit}), 422, "invalid_limit")
    refused(await ann.get(f"{path}/events", params={"since": "yesterday"}), 422, "invalid_cursor")
