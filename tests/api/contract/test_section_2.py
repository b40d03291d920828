"""Section 2, objects: each has every field of the contract, and the fields that are ours besides."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Scene

pytestmark = pytest.mark.anyio

CHANNEL = {
    "id", "owner_id", "created_by_key_id", "name", "mode", "access", "discoverable", "description", "metadata_schema",
    "pinned_message", "ttl_seconds", "retention_days", "max_messages", "max_writes_per_minute", "paused", "aliases",
    "related_channels", "created_at", "updated_at",
}  # fmt: skip
CHANNEL_TOO = {"lease_seconds", "max_deliveries", "has_webhook"}
MESSAGE = {
    "id", "channel_id", "actor", "actor_label", "content", "metadata", "created_at", "expires_at", "claimed_by",
    "claimed_by_key_id", "claimed_at", "mentions", "acknowledged_by", "active",
}  # fmt: skip
MESSAGE_TOO = {
    "key_id", "status", "state", "available_at", "delivery", "deliveries", "lease_expires_at", "cancel_requested", "outcome",
    "result_withheld", "archived", "stale", "progress", "questions", "chain", "ahead",
}  # fmt: skip
ARCHIVED = {
    "id", "channel_id", "actor", "actor_label", "content", "metadata", "created_at", "expires_at", "claimed_by", "claimed_at",
    "archived_at", "active",
}  # fmt: skip


async def test_a_channel(scene: Scene) -> None:
    """The same object from creating, looking and changing; where its webhook leads and what signs it is never in it."""
    made = await scene.done("owner", "GET", "/v1/channels/<open>")
    assert set(made) == CHANNEL | CHANNEL_TOO
    assert (made["owner_id"], made["created_by_key_id"]) == (scene.names["owner_label"], scene.names["owner_id"])
    assert made["aliases"] == [scene.names["open_alias"]]
    assert await scene.done("stranger", "POST", "/v1/channels", {"name": "<open>", "mode": "claimable"}) == made
    changed = await scene.done("owner", "PATCH", "/v1/channels/<open>", {})
    assert {**changed, "updated_at": made["updated_at"]} == made


async def test_a_message_from_its_posting_to_its_archive(scene: Scene, channel: str) -> None:
    """Who posted, claimed and acked it, as {id, name}; null and empty where there is nobody yet, never absent."""
    body = {"content": " as sent ", "actor_label": "lab", "metadata": {"k": 1}}
    envelope = await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", body)
    assert set(envelope) >= {"message", "next_cursor"}
    posted: dict[str, Any] = envelope["message"]
    assert set(posted) == MESSAGE | MESSAGE_TOO
    told = ("content", "actor_label", "metadata", "actor", "channel_id", "claimed_by", "claimed_at", "claimed_by_key_id")
    assert [posted[name] for name in told] == [" as sent ", "lab", {"k": 1}, None, channel, None, None, None]
    assert (posted["mentions"], posted["acknowledged_by"], posted["active"]) == ([], [], True)
    claim = await scene.done("member", "POST", f"/v1/messages/{posted['id']}/claim", {})
    holder = {"id": scene.names["member_label"], "name": scene.names["member_label"]}
    assert {"status", "message"} <= set(claim)
    assert (claim["message"]["claimed_by"], claim["message"]["claimed_by_key_id"]) == (holder, scene.names["member_id"])
    acked = await scene.done("member", "POST", f"/v1/messages/{posted['id']}/ack", {})
    [receipt] = acked["message"]["acknowledged_by"]
    assert {name: receipt[name] for name in ("id", "name")} == holder
    assert set(receipt) == {"id", "name", "occurred_at"}
    for message in (claim["message"], acked["message"], await scene.done("owner", "GET", f"/v1/messages/{posted['id']}")):
        assert set(message) == MESSAGE | MESSAGE_TOO
    [row] = (await scene.done("owner", "GET", f"/v1/channels/{channel}/messages"))["data"]
    assert row["acknowledged_by"] == [receipt]


async def test_an_archived_message(scene: Scene, channel: str) -> None:
    """What left its channel, as when it was taken back: not active, and when it left."""
    posted = (await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": "x"}))["message"]
    assert (await scene.done("owner", "DELETE", f"/v1/messages/{posted['id']}"))["status"] == "retracted"
    [row] = (await scene.done("owner", "GET", f"/v1/channels/{channel}/history"))["data"]
    assert set(row) >= ARCHIVED
    assert (row["id"], row["active"], row["created_at"]) == (posted["id"], False, posted["created_at"])
    page = await scene.done("owner", "GET", f"/v1/channels/{channel}/history?limit=1")
    rest = await scene.done("owner", "GET", f"/v1/channels/{channel}/history?limit=1&cursor={page['next_cursor']}")
    assert (rest["data"], rest["next_cursor"]) == ([], None)


async def test_a_channel_s_numbers(scene: Scene, channel: str) -> None:
    """How many messages stand where, and how long the newest finished tasks took."""
    for content in ("x", "y", "z"):
        await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": content})
    empty = await scene.done("owner", "GET", f"/v1/channels/{channel}/metrics")
    assert empty["avg_claim_to_ack_ms"] is None
    for _ in range(2):
        claim = await scene.done("owner", "POST", "/v1/tasks/claim", {"channel": channel})
    await scene.done("owner", "POST", f"/v1/messages/{claim['claimed']['id']}/ack", {})
    found = await scene.done("owner", "GET", f"/v1/channels/{channel}/metrics")
    assert set(found) >= {"channel_id", "message_counts", "avg_claim_to_ack_ms", "computed_at"}
    assert found["message_counts"] == {"total": 3, "unclaimed": 1, "claimed": 1, "acknowledged": 1}
    assert isinstance(found["avg_claim_to_ack_ms"], int)
