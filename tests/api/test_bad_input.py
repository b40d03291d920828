"""Bad input is a 4xx that names the field and stores nothing; never a 500."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Agent, posted, refused

pytestmark = pytest.mark.anyio

_DEEP: Any = None
for _ in range(100):
    _DEEP = [_DEEP]

RAW = [
    (b"{", 400, "invalid_json"),
    (b"nonsense", 400, "invalid_json"),
    (b'{"channel": "c", "content": "x",}', 400, "invalid_json"),
    (b"{'channel': 'c'}", 400, "invalid_json"),
    (b'\xff\xfe{"channel": "c"}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "\xff"}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "\\ud800"}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": {"n": NaN}}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": {"n": Infinity}}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": {"n": 1e999}}', 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": {"n": ' + b"9" * 400 + b".0}}", 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": {"n": ' + b"1" * 5000 + b"}}", 400, "invalid_json"),
    (b'{"channel": "c", "content": "x", "metadata": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "invalid_json"),
    (b"[]", 422, "invalid_json_shape"),
    (b"null", 422, "invalid_json_shape"),
    (b'"text"', 422, "invalid_json_shape"),
    (b"17", 422, "invalid_json_shape"),
    (b"true", 422, "invalid_json_shape"),
]

BODIES: list[tuple[str, dict[str, Any], str, str]] = [
    ("/v1/tasks/post", {}, "missing_field", "channel"),
    ("/v1/tasks/post", {"channel": "c"}, "missing_field", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": None}, "invalid_string", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": 5}, "invalid_string", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": ""}, "invalid_string", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": " \n"}, "invalid_string", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": "x" * 65_537}, "content_too_large", "content"),
    ("/v1/tasks/post", {"channel": "c", "content": "é" * 32_769}, "content_too_large", "content"),
    ("/v1/tasks/post", {"channel": 7, "content": "x"}, "invalid_string", "channel"),
    ("/v1/tasks/post", {"channel": "", "content": "x"}, "invalid_string", "channel"),
    ("/v1/tasks/post", {"channel": "  ", "content": "x"}, "invalid_string", "channel"),
    ("/v1/tasks/post", {"channel": "a{b}", "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "a/b", "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "a\u0000b", "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "a\u200bb", "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "a\u202eb", "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "x" * 201, "content": "x"}, "invalid_channel_name", "channel"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "metadata": "m"}, "invalid_object", "metadata"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "metadata": []}, "invalid_object", "metadata"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "metadata": {"d": _DEEP}}, "invalid_object", "metadata"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "metadata": {"d": "x" * 17_000}}, "content_too_large", "metadata"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "actor": 1}, "invalid_string", "actor"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "actor": "a\u0007"}, "invalid_actor_name", "actor"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "actor": "_"}, "invalid_actor_name", "actor"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "actor_label": {}}, "invalid_string", "actor_label"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "delay_seconds": -1}, "invalid_delay_seconds", "delay_seconds"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "delay_seconds": "1"}, "invalid_delay_seconds", "delay_seconds"),
    ("/v1/tasks/post", {"channel": "c", "content": "x", "delay_seconds": 10**30}, "invalid_delay_seconds", "delay_seconds"),
    ("/v1/tasks/claim", {}, "missing_field", "channel"),
    ("/v1/tasks/claim", {"channels": []}, "invalid_channels", "channels"),
    ("/v1/tasks/claim", {"channels": ["c"] * 21}, "invalid_channels", "channels"),
    ("/v1/tasks/claim", {"channels": "c"}, "invalid_channels", "channels"),
    ("/v1/tasks/claim", {"channels": [1]}, "invalid_string", "channels.0"),
    ("/v1/tasks/claim", {"channel": "c", "wait": -1}, "invalid_wait", "wait"),
    ("/v1/tasks/claim", {"channel": "c", "wait": True}, "invalid_wait", "wait"),
    ("/v1/tasks/claim", {"channel": "c", "wait": 10**400}, "invalid_wait", "wait"),
    ("/v1/tasks/claim", {"channel": "c", "lease_seconds": 0}, "invalid_lease_seconds", "lease_seconds"),
    ("/v1/tasks/claim", {"channel": "c", "lease_seconds": 86_401}, "invalid_lease_seconds", "lease_seconds"),
    ("/v1/tasks/subscribe", {"channel": "c", "limit": 0}, "invalid_limit", "limit"),
    ("/v1/tasks/subscribe", {"channel": "c", "limit": 101}, "invalid_limit", "limit"),
    ("/v1/tasks/subscribe", {"channel": "c", "limit": 1.5}, "invalid_limit", "limit"),
    ("/v1/channels", {}, "missing_field", "name"),
    ("/v1/channels", {"name": "c"}, "missing_field", "mode"),
    ("/v1/channels", {"name": "c", "mode": "queue"}, "invalid_mode", "mode"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "access": "closed"}, "invalid_access", "access"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "discoverable": "yes"}, "invalid_discoverable", "discoverable"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "ttl_seconds": 299}, "invalid_ttl_seconds", "ttl_seconds"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "ttl_seconds": 300.5}, "invalid_ttl_seconds", "ttl_seconds"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "retention_days": 366}, "invalid_retention_days", "retention_days"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "max_messages": 0}, "invalid_max_messages", "max_messages"),
    ("/v1/channels", {"name": "c", "mode": "claimable", "max_deliveries": 0}, "invalid_max_deliveries", "max_deliveries"),
    (
        "/v1/channels",
        {"name": "c", "mode": "claimable", "metadata_schema": {"type": 1}},
        "invalid_metadata_schema",
        "metadata_schema",
    ),
    ("/v1/channels", {"name": "c", "mode": "claimable", "webhook_url": "http://[::1]/"}, "invalid_webhook_url", "webhook_url"),
    (
        "/v1/channels",
        {"name": "c", "mode": "claimable", "related_channels": [1]},
        "invalid_related_channels",
        "related_channels",
    ),
    ("/v1/channels/c/redrive", {"ids": []}, "invalid_ids", "ids"),
    ("/v1/actors", {"name": 3}, "invalid_string", "name"),
    ("/v1/actors", {"name": "x" * 201}, "invalid_actor_name", "name"),
    ("/v1/keys", {"agent_label": None}, "missing_field", "agent_label"),
    ("/v1/keys", {"agent_label": "\u0000"}, "invalid_string", "agent_label"),
]

QUERIES = [
    ("limit=0", "invalid_limit", "limit"),
    ("limit=101", "invalid_limit", "limit"),
    ("limit=many", "invalid_limit", "limit"),
    ("limit=" + "9" * 500, "invalid_limit", "limit"),
    ("wait=-1", "invalid_wait", "wait"),
    ("wait=nan", "invalid_wait", "wait"),
    ("wait=inf", "invalid_wait", "wait"),
    ("wait=1e400", "invalid_wait", "wait"),
    ("status=done", "invalid_status", "status"),
    ("since=yesterday", "invalid_cursor", "since"),
    ("cursor=%00", "invalid_cursor", "since"),
    ("expiring_before=soon", "invalid_expiring_before", "expiring_before"),
]


@pytest.mark.parametrize(("raw", "status", "code"), RAW)
async def test_a_body_that_is_no_json_object_is_refused(ann: Agent, raw: bytes, status: int, code: str) -> None:
    """Whatever the bytes are, the answer says that they are no JSON object."""
    refused(await ann.post("/v1/tasks/post", content=raw), status, code)


@pytest.mark.parametrize(("path", "body", "code", "field"), BODIES)
async def test_a_bad_field_is_named(ann: Agent, path: str, body: dict[str, Any], code: str, field: str) -> None:
    """The error has the contract's code for the field, and names the field for a machine and for a reader."""
    found = refused(await ann.post(path, json=body), 422, code)
    assert found["field"] == field
    assert field in found["message"]


@pytest.mark.parametrize(("query", "code", "field"), QUERIES)
async def test_a_bad_parameter_is_named(ann: Agent, channel: str, query: str, code: str, field: str) -> None:
    """The same for what stands in the URL."""
    await posted(ann, channel)
    assert refused(await ann.get(f"/v1/channels/{channel}/messages?{query}"), 422, code)["field"] == field


async def test_what_was_refused_is_not_stored(ann: Agent, channel: str) -> None:
    """Neither the message nor the channel that a good one would have created."""
    refused(await ann.post("/v1/tasks/post", json={"channel": channel, "content": "x", "metadata": []}), 422, "invalid_object")
    refused(await ann.get(f"/v1/channels/{channel}"), 404, "channel_not_found")


async def test_the_size_is_told_with_the_limit(ann: Agent, channel: str) -> None:
    """Extras stand at the top level: what was received, and what would have been taken."""
    found = refused(
        await ann.post("/v1/tasks/post", json={"channel": channel, "content": "é" * 32_769}), 422, "content_too_large"
    )
    assert (found["max_content_bytes"], found["received_bytes"]) == (65_536, 65_538)


@pytest.mark.parametrize(
    "message_id", ["x", "0f30dbcf-8a15-4d0e-9f0a-6d7a1c9b1d11", "nowhere:1-0", "a{b}:1-0", ":1-0", "%F0%9F%98%80:1-0"]
)
async def test_an_unknown_message_is_not_found(ann: Agent, message_id: str) -> None:
    """Whatever an id looks like: ids are opaque to clients."""
    for path in ("claim", "ack", "release", "heartbeat", "fail", "cancel"):
        answer = await ann.post(f"/v1/messages/{message_id}/{path}", json={})
        assert answer.status_code == 404, answer.text
    assert (await ann.get(f"/v1/messages/{message_id}")).status_code == 404
    assert (await ann.get(f"/v1/tasks/{message_id}/result")).status_code == 404


async def test_unknown_fields_are_ignored(ann: Agent, channel: str) -> None:
    """A newer client's extras do not stop it."""
    message = await posted(ann, channel, colour="red", metadata=None)
    assert message["metadata"] == {}
