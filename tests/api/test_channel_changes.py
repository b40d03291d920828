"""Changing, naming, deleting channels over HTTP, and what is left of their messages."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio
CHANNEL_FIELDS = {
    "id", "owner_id", "created_by_key_id", "name", "mode", "access", "discoverable", "description", "metadata_schema",
    "pinned_message", "ttl_seconds", "retention_days", "max_messages", "max_writes_per_minute", "paused", "aliases",
    "related_channels", "created_at", "updated_at",
}  # fmt: skip
ARCHIVED_FIELDS = {
    "id", "channel_id", "actor", "actor_label", "content", "metadata", "created_at", "expires_at", "claimed_by", "claimed_at",
    "archived_at", "active",
}  # fmt: skip
HOOK = {"webhook_url": "https://example.com/hook", "webhook_secret": "hush"}


async def _made(agent: Agent, name: str, **fields: Any) -> str:
    answer = await agent.post("/v1/channels", json={"name": name, "mode": "claimable", **fields})
    assert answer.status_code == 201, answer.text
    return f"/v1/channels/{answer.json()['id']}"


async def test_a_channel_is_made_with_all_the_contract_has(ann: Agent, channel: str) -> None:
    """Schema, related channels and webhook; the webhook's URL and secret stay here."""
    await posted(ann, f"{channel}-other")
    schema = {"type": "object", "properties": {"severity": {"enum": ["low", "high"]}}, "severity": "string"}
    body = {
        "name": channel, "mode": "broadcast", "access": "restricted", "discoverable": True, "description": "d",
        "metadata_schema": schema, "pinned_message": "p", "related_channels": [f"{channel}-other"], **HOOK,
        "ttl_seconds": 300, "retention_days": 365, "max_messages": 1_000_000, "max_writes_per_minute": 1,
    }  # fmt: skip
    answer = await ann.post("/v1/channels", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert set(made) >= CHANNEL_FIELDS
    assert (made["metadata_schema"], made["has_webhook"]) == (schema, True)
    assert made["related_channels"] == [{"id": f"{channel}-other", "name": f"{channel}-other", "mode": "claimable"}]
    assert "hush" not in answer.text
    assert "example.com" not in answer.text
    assert (await ann.get(f"/v1/channels/{channel}")).json() == made
    again = await ann.post("/v1/channels", json=body)
    assert (again.status_code, again.json()) == (200, made)


async def test_patching_changes_what_is_given(ann: Agent, channel: str) -> None:
    """200 with the whole channel; null empties; nothing given changes nothing but the moment."""
    path = await _made(ann, channel, pinned_message="old", max_messages=5)
    changed = await ann.patch(
        path, json={"description": "new", "pinned_message": None, "retention_days": 3, "lease_seconds": 1.5, "paused": True}
    )
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (body["description"], body["pinned_message"], body["retention_days"]) == ("new", None, 3)
    assert (body["lease_seconds"], body["paused"], body["max_messages"]) == (1.5, True, 5)
    same = await ann.patch(path, json={})
    assert (same.status_code, {**same.json(), "updated_at": body["updated_at"]}) == (200, body)
    refused(await ann.post(f"{path}/messages", json={"content": "x"}), 503, "channel_paused")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ttl_seconds": 600}, "invalid_fields"),
        ({"paused": "yes"}, "invalid_paused"),
        ({"paused": None}, "invalid_paused"),
        ({"mode": "topic"}, "invalid_mode"),
        ({"mode": None}, "invalid_mode"),
        ({"access": 1}, "invalid_access"),
        ({"discoverable": "true"}, "invalid_discoverable"),
        ({"name": "another"}, "invalid_name"),
        ({"name": ""}, "invalid_string"),
        ({"name": "a\u200bb"}, "invalid_channel_name"),
        ({"description": 1}, "invalid_string"),
        ({"metadata_schema": []}, "invalid_object"),
        ({"metadata_schema": {"type": 7}}, "invalid_metadata_schema"),
        ({"related_channels": "x"}, "invalid_related_channels"),
        ({"related_channels": [1]}, "invalid_related_channels"),
        ({"related_channels": None}, "invalid_related_channels"),
        ({"retention_days": 0}, "invalid_retention_days"),
        ({"retention_days": 1.5}, "invalid_retention_days"),
        ({"lease_seconds": 0.5}, "invalid_lease_seconds"),
        ({"max_deliveries": True}, "invalid_max_deliveries"),
        ({"max_messages": 1_000_001}, "invalid_max_messages"),
        ({"max_writes_per_minute": "6"}, "invalid_max_writes_per_minute"),
        ({"webhook_url": "http://169.254.169.254/"}, "invalid_webhook_url"),
        ({"webhook_secret": ""}, "invalid_string"),
    ],
)
async def test_a_bad_patch_is_refused_whole(ann: Agent, channel: str, body: dict[str, Any], code: str) -> None:
    """422 with the contract's code; what was good beside it is not done."""
    path = await _made(ann, channel)
    before = (await ann.get(path)).json()
    found = refused(await ann.patch(path, json={"pinned_message": "new", **body}), 422, code)
    assert found["field"]
    assert (await ann.get(path)).json() == before


async def test_fields_that_cannot_be_changed_are_listed(ann: Agent, channel: str) -> None:
    """All of them, at the top level of the error; a secret among them is not repeated."""
    path = await _made(ann, channel)
    answer = await ann.patch(path, json={"colour": "red", "ttl_seconds": 5, "owner_id": "hush"})
    assert sorted(refused(answer, 422, "invalid_fields")["fields"]) == ["colour", "owner_id", "ttl_seconds"]
    assert "hush" not in answer.text
    refused(await ann.patch(path, content=b"[]"), 422, "invalid_json_shape")
    refused(await ann.patch(path, content=b"{"), 400, "invalid_json")
    assert (await ann.patch(path)).status_code == 200


async def test_managing_is_for_the_owner(ann: Agent, bob: Agent, channel: str) -> None:
    """403 for others, 404 where there is nothing, 401 without a key."""
    path = await _made(ann, channel)
    for call in (
        bob.patch(path, json={"description": "x"}),
        bob.delete(path),
        bob.post(f"{path}/aliases", json={"alias": "x"}),
    ):
        refused(await call, 403, "forbidden")
    for call in (ann.patch(f"{path}-x", json={}), ann.delete(f"{path}-x"), ann.post(f"{path}-x/aliases", json={"alias": "x"})):
        refused(await call, 404, "channel_not_found")
    bob.headers.pop("X-API-Key")
    for call in (bob.patch(path, json={}), bob.delete(path)):
        refused(await call, 401, "unauthorized")


async def test_the_mode_stays_once_something_was_posted(ann: Agent, channel: str) -> None:
    """409."""
    path = await _made(ann, channel)
    assert (await ann.patch(path, json={"mode": "broadcast"})).json()["mode"] == "broadcast"
    assert (await ann.patch(path, json={"mode": "claimable"})).json()["mode"] == "claimable"
    await posted(ann, channel)
    refused(await ann.patch(path, json={"mode": "broadcast"}), 409, "channel_not_empty")


async def test_deleting_answers_204_with_nothing(ann: Agent, bob: Agent, channel: str) -> None:
    """And then it is 404, for whoever asks; the name is free."""
    path = await _made(ann, channel)
    message = await posted(bob, channel)
    answer = await ann.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["X-Request-Id"]
    refused(await ann.get(path), 404, "channel_not_found")
    refused(await bob.get(f"/v1/messages/{message['id']}"), 404, "message_not_found")
    refused(await ann.delete(path), 404, "channel_not_found")
    assert (await bob.post("/v1/channels", json={"name": channel, "mode": "broadcast"})).status_code == 201


async def test_an_alias_is_one_more_name(ann: Agent, bob: Agent, channel: str) -> None:
    """201 with the channel; 409 when the name is taken, also by creating a channel of that name."""
    path = await _made(ann, channel)
    answer = await ann.post(f"{path}/aliases", json={"alias": f"{channel} two"})
    assert (answer.status_code, answer.json()["aliases"]) == (201, [f"{channel}-two"])
    assert (await bob.get(f"/v1/channels/{channel}-two")).json()["id"] == channel
    assert (await posted(bob, f"{channel}-two"))["channel_id"] == channel
    for part in ("counts", "metrics"):
        assert (await bob.get(f"/v1/channels/{channel}-two/{part}")).json()["channel_id"] == channel
    other = await _made(bob, f"{channel}-3")
    refused(await bob.post(f"{other}/aliases", json={"alias": f"{channel}-two"}), 409, "alias_conflict")
    refused(await bob.post("/v1/channels", json={"name": f"{channel}-two", "mode": "claimable"}), 409, "alias_conflict")
    refused(await ann.post(f"{path}/aliases", json={}), 422, "missing_field")
    refused(await ann.post(f"{path}/aliases", json={"alias": 5}), 422, "invalid_string")
    refused(await ann.post(f"{path}/aliases", json={"alias": "a/b"}), 422, "invalid_channel_name")


async def test_a_retracted_message_is_in_the_history(ann: Agent, bob: Agent, channel: str) -> None:
    """`retracted`, once; then it is no longer listed, but archived with the contract's fields."""
    message = await posted(ann, channel, "oops", metadata={"n": 1})
    refused(await bob.delete(f"/v1/messages/{message['id']}"), 403, "forbidden")
    answer = await ann.delete(f"/v1/messages/{message['id']}")
    assert (answer.status_code, answer.json()["status"]) == (200, "retracted")
    assert answer.json()["message"]["active"] is False
    page = (await bob.get(f"/v1/channels/{channel}/history")).json()
    (found,) = page["data"]
    assert (page["limit"], page["next_cursor"]) == (50, None)
    assert set(found) >= ARCHIVED_FIELDS
    assert (found["id"], found["content"], found["metadata"], found["active"]) == (message["id"], "oops", {"n": 1}, False)
    assert found["outcome"]["state"] == "cancelled"
    assert not (await bob.get(f"/v1/channels/{channel}/messages")).json()["data"]
    held = await posted(ann, channel)
    await claimed(bob, channel)
    assert refused(await ann.delete(f"/v1/messages/{held['id']}"), 409, "message_claimed")["holder"]
    for message_id in (f"{channel}:1-1", "nonsense"):
        refused(await ann.delete(f"/v1/messages/{message_id}"), 404, "message_not_found")


async def test_history_is_read_page_by_page(ann: Agent, channel: str) -> None:
    """Bad limits and cursors are named."""
    ids = [(await posted(ann, channel, str(n)))["id"] for n in range(3)]
    for message_id in ids:
        await ann.delete(f"/v1/messages/{message_id}")
    path = f"/v1/channels/{channel}/history"
    first = (await ann.get(path, params={"limit": 2})).json()
    rest = (await ann.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [m["id"] for m in [*first["data"], *rest["data"]]] == ids[::-1]
    assert rest["next_cursor"] is None
    for limit in ("0", "101", "x"):
        refused(await ann.get(path, params={"limit": limit}), 422, "invalid_limit")
    refused(await ann.get(path, params={"cursor": "x"}), 422, "invalid_cursor")
    refused(await ann.get(f"/v1/channels/{channel}-x/history"), 404, "channel_not_found")


async def test_metrics_are_the_contracts(ann: Agent, channel: str) -> None:
    """Counts of what is there, and the time from claim to ack."""
    for _ in range(3):
        await posted(ann, channel)
    task = (await claimed(ann, channel))["claimed"]
    assert (await ann.post(f"/v1/messages/{task['id']}/ack", json={})).status_code == 200
    await claimed(ann, channel)
    found = (await ann.get(f"/v1/channels/{channel}/metrics")).json()
    assert found["channel_id"] == channel
    assert found["message_counts"] == {"total": 3, "unclaimed": 1, "claimed": 1, "acknowledged": 1}
    assert found["avg_claim_to_ack_ms"] >= 0
    assert found["computed_at"].endswith("+00:00")
