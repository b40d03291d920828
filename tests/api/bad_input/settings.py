"""The same for what is set up rather than handed over: channels, actors, keys, scopes, members, sessions, webhooks."""

from __future__ import annotations

from typing import Any

from .fields import NO_NAMES, nested, posts
from .world import ADMIN_TOKEN, Row

CHANNEL = {"name": "c", "mode": "claimable"}
NO_URLS = [
    "", " ", "hook", "/hook", "example.com/hook", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)",
    "http://", "http:///x", "http://ann:secret@example.com/", "http://example.com:0/", "http://example.com:65536/",
    "http://example.com/#f", "http://exa mple.com/", "http://example.com/\r\nX: y", "http://example.com\\@10.0.0.1/",
    "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/",
    "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/",
    "http://10.0.0.7:8080/", "http://[fe80::1%25eth0]/", "https://example.com/" + "x" * 2_048, "https://exa\u202emple.com/",
    "https://127。0。0。1/",
]  # fmt: skip
NO_SCHEMAS: list[Any] = [
    "object", [], {"type": 5}, {"type": "thing"}, {"properties": []}, {"$$ref": "#/nowhere"},
    {"$$ref": "http://127.0.0.1:1/schema.json"}, {"pattern": "("}, {"required": "a"}, {"minLength": "5"},
    {"properties": {"a": nested(100)}}, {"enum": ["x" * 20_000]},
]  # fmt: skip

CHANNELS = [
    *posts("POST /v1/channels", *(({"name": name}, "invalid_channel_name", "name") for name in NO_NAMES), base=CHANNEL),
    *posts(
        "POST /v1/channels", *(({"webhook_url": url}, "invalid_webhook_url", "webhook_url") for url in NO_URLS), base=CHANNEL
    ),
    *posts("POST /v1/channels", ({}, "missing_field", "name"), ({"name": "c"}, "missing_field", "mode")),
    *posts(
        "POST /v1/channels",
        ({"mode": "queue"}, "invalid_mode", "mode"),
        ({"mode": None}, "invalid_mode", "mode"),
        ({"access": "closed"}, "invalid_access", "access"),
        ({"discoverable": "yes"}, "invalid_discoverable", "discoverable"),
        ({"description": 1}, "invalid_string", "description"),
        ({"pinned_message": []}, "invalid_string", "pinned_message"),
        ({"ttl_seconds": 299}, "invalid_ttl_seconds", "ttl_seconds"),
        ({"ttl_seconds": 300.5}, "invalid_ttl_seconds", "ttl_seconds"),
        ({"ttl_seconds": 10**400}, "invalid_ttl_seconds", "ttl_seconds"),
        ({"retention_days": 366}, "invalid_retention_days", "retention_days"),
        ({"max_messages": 0}, "invalid_max_messages", "max_messages"),
        ({"max_messages": 1_000_001}, "invalid_max_messages", "max_messages"),
        ({"max_writes_per_minute": -1}, "invalid_max_writes_per_minute", "max_writes_per_minute"),
        ({"max_deliveries": 0}, "invalid_max_deliveries", "max_deliveries"),
        ({"lease_seconds": 0.5}, "invalid_lease_seconds", "lease_seconds"),
        ({"related_channels": "work"}, "invalid_related_channels", "related_channels"),
        ({"related_channels": [1]}, "invalid_related_channels", "related_channels"),
        ({"related_channels": ["a{b}"]}, "invalid_channel_name", "related_channels"),
        ({"related_channels": ["work"] * 21}, "invalid_related_channels", "related_channels"),
        ({"webhook_url": 5}, "invalid_string", "webhook_url"),
        ({"webhook_secret": ""}, "invalid_string", "webhook_secret"),
        ({"webhook_url": "https://example.com/", "webhook_secret": "x" * 513}, "content_too_large", "webhook_secret"),
        base=CHANNEL,
    ),
    *posts(
        "PATCH /v1/channels/work",
        ({"colour": "red"}, "invalid_fields", "colour"),
        ({"ttl_seconds": 600}, "invalid_fields", "ttl_seconds"),
        ({"name": "another"}, "invalid_name", "name"),
        ({"name": None}, "invalid_string", "name"),
        ({"mode": "queue"}, "invalid_mode", "mode"),
        ({"access": None}, "invalid_access", "access"),
        ({"discoverable": 1}, "invalid_discoverable", "discoverable"),
        ({"description": 5}, "invalid_string", "description"),
        ({"retention_days": 0}, "invalid_retention_days", "retention_days"),
        ({"retention_days": None}, "invalid_retention_days", "retention_days"),
        ({"max_messages": 10**400}, "invalid_max_messages", "max_messages"),
        ({"paused": "no"}, "invalid_paused", "paused"),
        ({"paused": None}, "invalid_paused", "paused"),
        ({"related_channels": {}}, "invalid_related_channels", "related_channels"),
        ({"webhook_url": "http://10.0.0.1/"}, "invalid_webhook_url", "webhook_url"),
        ({"webhook_secret": 5}, "invalid_string", "webhook_secret"),
        ({"description": "good", "paused": 5}, "invalid_paused", "paused"),
    ),
    *posts("POST /v1/channels/work/aliases", *(({"alias": name}, "invalid_channel_name", "alias") for name in NO_NAMES[:3])),
    *posts("POST /v1/channels/work/aliases", ({}, "missing_field", "alias"), ({"alias": 5}, "invalid_string", "alias")),
    Row("POST", "/v1/channels", {**CHANNEL, "name": "labour"}, 409, "alias_conflict"),
    Row("POST", "/v1/channels", {**CHANNEL, "related_channels": ["nowhere"]}, 404, "channel_not_found"),
    Row("POST", "/v1/channels/work/aliases", {"alias": "news"}, 409, "alias_conflict"),
    Row("PATCH", "/v1/channels/work", {"mode": "broadcast"}, 409, "channel_not_empty"),
]

SCHEMAS = [
    Row(
        "POST",
        "/v1/channels",
        {**CHANNEL, "metadata_schema": schema},
        422,
        "invalid_metadata_schema" if isinstance(schema, dict) else "invalid_object",
        "metadata_schema",
    )
    for schema in NO_SCHEMAS
]

CALLERS = [
    *posts(
        "POST /v1/actors",
        ({"name": 3}, "invalid_string", "name"),
        ({"name": "x" * 201}, "invalid_actor_name", "name"),
        ({}, "missing_field", "name"),
        ({"name": "_"}, "invalid_actor_name", "name"),
        ({"name": "n", "description": "x" * 2_001}, "invalid_string", "description"),
        ({"name": "n", "metadata": 1}, "invalid_object", "metadata"),
        ({"name": "n", "metadata": {"d": "x" * 17_000}}, "content_too_large", "metadata"),
    ),
    *posts(
        "POST /v1/actors/agent/aliases",
        ({"alias": ""}, "invalid_string", "alias"),
        ({"alias": "a\u200b"}, "invalid_actor_name", "alias"),
    ),
    Row("POST", "/v1/actors/agent/aliases", {"alias": "other_agent"}, 409, "alias_conflict"),
    Row("POST", "/v1/actors/other_agent/aliases", {"alias": "mine"}, 403, "actor_forbidden"),
    *posts("POST /v1/actors/agent/webhook", *(({"url": url}, "invalid_webhook_url", "url") for url in NO_URLS)),
    *posts(
        "POST /v1/actors/agent/webhook",
        ({}, "missing_field", "url"),
        ({"url": None}, "invalid_string", "url"),
        ({"url": "https://example.com/", "secret": 5}, "invalid_string", "secret"),
        ({"url": "https://example.com/", "secret": "x" * 513}, "content_too_large", "secret"),
    ),
    Row("POST", "/v1/actors/other_agent/webhook", {"url": "https://example.com/"}, 403, "actor_forbidden"),
    *posts(
        "POST /v1/sessions",
        ({}, "missing_field", "name"),
        ({"name": ""}, "invalid_string", "name"),
        ({"name": "x" * 201}, "invalid_string", "name"),
        ({"name": "s", "state": []}, "invalid_object", "state"),
        ({"name": "s", "state": {"d": nested(100)}}, "invalid_object", "state"),
        ({"name": "s", "state": {"d": "x" * 17_000}}, "content_too_large", "state"),
    ),
    *posts(
        "PATCH /v1/sessions/$session",
        ({"state": 5}, "invalid_object", "state"),
        ({"d": "x" * 17_000}, "content_too_large", "state"),
    ),
    *posts(
        "POST /v1/channels/locked/members",
        ({}, "missing_field", "key_id"),
        ({"key_id": 5}, "invalid_string", "key_id"),
        ({"key_id": " "}, "invalid_string", "key_id"),
        *(({"key_id": text}, "invalid_key_id", "key_id") for text in ("bck_{x}", "$key", "bck_x:y", "bck_\u0000")),
    ),
    *posts(
        "POST /v1/channels/locked/access-requests",
        ({"reason": 5}, "invalid_string", "reason"),
        ({"reason": "x" * 2_001}, "invalid_string", "reason"),
    ),
    *posts(
        "PUT /v1/keys/me/scopes",
        *(({"scopes": value}, "invalid_scopes", "scopes") for value in ("messages:read", None, {}, 5, True)),
        *(
            ({"scopes": [value]}, "invalid_scope", "scopes")
            for value in ("everything", "MESSAGES:READ", "messages:*", "", 5, None, ["x"])
        ),
    ),
    *posts("PUT /v1/keys/me/scopes", ({}, "invalid_scopes", "scopes")),
]

_PUBLIC = [("Accept", "*/*")]
_ADMIN = [("X-Admin-Token", ADMIN_TOKEN)]
_NO_LABELS: list[tuple[Any, str]] = [
    (None, "missing_field"), ("", "invalid_string"), (" ", "invalid_string"), ("\u0000", "invalid_string"),
    (5, "invalid_string"), ({}, "invalid_string"), ("a\u202eb", "invalid_string"),
]  # fmt: skip
KEYS = [
    *(Row("POST", "/v1/keys", {"agent_label": label}, 422, code, "agent_label", _PUBLIC) for label, code in _NO_LABELS),
    *(Row("POST", "/v1/admin/keys", {"agent_label": label}, 422, code, "agent_label", _ADMIN) for label, code in _NO_LABELS),
    Row("POST", "/v1/keys", {"agent_label": "agent"}, 409, "label_in_use", None, _PUBLIC),
    *(
        Row("POST", "/v1/admin/minting", {"enabled": value}, 422, "invalid_field", "enabled", _ADMIN)
        for value in ("no", 0, None, [])
    ),
    *(
        Row(
            "POST",
            "/v1/admin/keys/$other_key_id/rotate",
            {"overlap_seconds": value},
            422,
            "invalid_overlap_seconds",
            "overlap_seconds",
            _ADMIN,
        )
        for value in (-1, "1", True, 10**9, 10**400, None)
    ),
    *(
        Row("PUT", "/v1/admin/keys/$other_key_id/scopes", {"scopes": value}, 422, code, "scopes", _ADMIN)
        for value, code in (("x", "invalid_scopes"), (["x"], "invalid_scope"), ({}, "invalid_scopes"))
    ),
    Row("PUT", "/v1/admin/keys/$other_key_id/scopes", {}, 422, "missing_field", "scopes", _ADMIN),
]
