"""Headers that lie, are given twice, or hold what no header may."""

from __future__ import annotations

from .world import ADMIN_TOKEN, Row

_KEY = ("X-API-Key", "$key")
_ME = "/v1/keys/me"
_POST = {"channel": "work", "content": "x"}


def _unauthorized(*headers: tuple[str, str]) -> Row:
    return Row("GET", _ME, None, 401, "unauthorized", None, headers)


NO_KEYS = [
    "", " ", "x", "bck_", ".", "bck_.", "bck_x.y", "$key_id", "$key_id.", "$key_id.x", "${key}x", "x$key", "$key$key",
    "$key,$key", "$key, $other_key", "$key_id." + "x" * 10_000, "x" * 10_000, "\xff\xfe", "clé", "bck_\xe9.\xe9", "$key\xe9",
    "bck_*.*", "bck_{}.x", "null", "undefined", "Bearer $key", "bck_x:y.z", "$key\t$key", "' OR 1=1 --", "%00", "$key%20",
]  # fmt: skip
_NO_BEARERS = [
    "", "Bearer", "Bearer ", "Bearer x", "Basic $key", "Basic OmJja194Lnk=", "$key", "Bearer $key $key", "Bearer, $key",
    "Token $key", "Bearer\xa0$key",
]  # fmt: skip
NO_ADMIN_TOKENS = [
    "",
    " ",
    "x",
    ADMIN_TOKEN[:-1],
    ADMIN_TOKEN + "x",
    ADMIN_TOKEN.upper(),
    f"{ADMIN_TOKEN},{ADMIN_TOKEN}",
    "\xff",
    "x" * 10_000,
    f"Bearer {ADMIN_TOKEN}",
    "$key",
]
ADMIN_ROUTES = [
    "POST /v1/admin/keys", "GET /v1/admin/keys", "POST /v1/admin/keys/$other_key_id/rotate",
    "POST /v1/admin/keys/$other_key_id/revoke", "DELETE /v1/admin/keys/$other_key_id",
    "PUT /v1/admin/keys/$other_key_id/scopes", "POST /v1/admin/minting", "POST /v1/admin/channels/work/pause",
    "POST /v1/admin/channels/work/resume", "GET /v1/admin/audit",
]  # fmt: skip
NO_IDEMPOTENCY_KEYS = ["", " ", "x" * 201, "x" * 10_000, "a b", "a\tb", "caf\xe9", "\xff", "a\x85"]
TAKES_AN_IDEMPOTENCY_KEY = [
    ("POST", "/v1/tasks/post", _POST), ("POST", "/v1/tasks/broadcast", {"channel": "news", "content": "x"}),
    ("POST", "/v1/channels/work/messages", {"content": "x"}), ("POST", "/v1/tasks/claim", {"channel": "work"}),
    ("POST", "/v1/sessions", {"name": "s"}), ("PATCH", "/v1/channels/work", {"description": "x"}),
    ("DELETE", "/v1/channels/work", None),
]  # fmt: skip

HEADERS = [
    _unauthorized(("Accept", "*/*")),
    *(_unauthorized(("X-API-Key", value)) for value in NO_KEYS),
    *(_unauthorized(("Authorization", value)) for value in _NO_BEARERS),
    *(_unauthorized(("X-API-Key", value), ("Authorization", "Bearer $key")) for value in ("x", "$key_id.x")),
    _unauthorized(("X-API-Key", "$key"), ("X-API-Key", "$other_key")),
    _unauthorized(("X-API-Key", "$key"), ("X-API-Key", "x")),
    _unauthorized(("X-API-Key", "x"), ("X-API-Key", "$key")),
    _unauthorized(("X_API_Key", "$key")),
    _unauthorized(("X-Admin-Token", ADMIN_TOKEN)),
    _unauthorized(("Cookie", "X-API-Key=$key")),
    *(
        Row(
            *route.split(" ", 1),
            {"agent_label": "new", "scopes": [], "enabled": False},
            401,
            "admin_unauthorized",
            None,
            [("X-Admin-Token", token), _KEY],
        )
        for route in ADMIN_ROUTES
        for token in NO_ADMIN_TOKENS[:3]
    ),
    *(
        Row("GET", "/v1/admin/keys", None, 401, "admin_unauthorized", None, [("X-Admin-Token", token)])
        for token in NO_ADMIN_TOKENS
    ),
    Row(
        "GET",
        "/v1/admin/keys",
        None,
        401,
        "admin_unauthorized",
        None,
        [("X-Admin-Token", ADMIN_TOKEN), ("X-Admin-Token", ADMIN_TOKEN)],
    ),
    Row(
        "GET", "/v1/admin/keys", None, 401, "admin_unauthorized", None, [("X-Admin-Token", ADMIN_TOKEN), ("X-Admin-Token", "x")]
    ),
    *(
        Row(method, path, body, 422, "invalid_idempotency_key", "idempotency_key", [_KEY, ("Idempotency-Key", value)])
        for value in NO_IDEMPOTENCY_KEYS
        for method, path, body in TAKES_AN_IDEMPOTENCY_KEY
    ),
    Row(
        "POST",
        "/v1/tasks/post",
        _POST,
        422,
        "invalid_idempotency_key",
        "idempotency_key",
        [_KEY, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    ),
    # What a header says of the method, the path or the type changes nothing.
    Row("GET", "/v1/channels/nowhere", None, 404, "channel_not_found", None, [_KEY, ("X-HTTP-Method-Override", "DELETE")]),
    Row("POST", "/v1/channels/work", {}, 405, "method_not_allowed", None, [_KEY, ("X-HTTP-Method-Override", "DELETE")]),
    Row(
        "POST", "/v1/channels/work?_method=DELETE", {}, 405, "method_not_allowed", None, [_KEY, ("X-Method-Override", "DELETE")]
    ),
    Row(
        "GET",
        "/v1/nowhere",
        None,
        404,
        "not_found",
        None,
        [_KEY, ("X-Original-URL", "/v1/keys/me"), ("X-Rewrite-URL", "/v1/keys/me")],
    ),
    *(
        Row("POST", "/v1/tasks/post", b"channel=work&content=x", 400, "invalid_json", None, [_KEY, ("Content-Type", kind)])
        for kind in (
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/xml",
            "application/json; charset=utf-16",
            "\xff",
            "x" * 10_000,
        )
    ),
    Row("POST", "/v1/tasks/post", b"\x1f\x8b\x08\x00", 400, "invalid_json", None, [_KEY, ("Content-Encoding", "gzip")]),
    Row("POST", "/v1/keys", {"agent_label": "new"}, 403, "origin_not_allowed", None, [("Origin", "https://evil.example")]),
    Row("POST", "/v1/keys", {"agent_label": "new"}, 403, "origin_not_allowed", None, [("Origin", "null")]),
    Row(
        "POST",
        "/v1/keys",
        {"agent_label": "new"},
        403,
        "origin_not_allowed",
        None,
        [("Origin", "http://127.0.0.1.evil.example")],
    ),
    *(
        Row(method, "/v1/channels/work", None, 405, "method_not_allowed")
        for method in ("PUT", "POST", "TRACE", "QUERY", "PROPFIND")
    ),
]
"""A scope that is missing is told before what else is wrong, and another's thing is not one's own."""
NARROW = [
    Row(method, path, body, 403, "insufficient_scope", None, [("X-API-Key", "$narrow_key")])
    for method, path, body in (
        ("POST", "/v1/tasks/post", _POST),
        ("POST", "/v1/tasks/claim", {"channel": "work"}),
        ("POST", "/v1/messages/$task/claim", {}),
        ("POST", "/v1/messages/$held/ack", {}),
        ("GET", "/v1/channels/work/messages", None),
        ("GET", "/v1/messages/$task", None),
        ("POST", "/v1/channels", {"name": "c", "mode": "claimable"}),
        ("PATCH", "/v1/channels/work", {"paused": True}),
        ("DELETE", "/v1/channels/work", None),
        ("PUT", "/v1/keys/me/scopes", {"scopes": ["channels:read", "messages:read"]}),
    )
]
FOREIGN = [
    Row(method, path, body, status, code, None, [("X-API-Key", "$other_key")])
    for method, path, body, status, code in (
        ("PATCH", "/v1/channels/work", {"paused": True}, 403, "forbidden"),
        ("DELETE", "/v1/channels/work", None, 403, "forbidden"),
        ("POST", "/v1/channels/work/aliases", {"alias": "mine"}, 403, "forbidden"),
        ("GET", "/v1/channels/work/members", None, 403, "forbidden"),
        ("GET", "/v1/channels/work/events", None, 403, "forbidden"),
        ("GET", "/v1/channels/work/webhook-failures", None, 403, "forbidden"),
        ("GET", "/v1/channels/locked", None, 403, "channel_access_denied"),
        ("GET", "/v1/channels/locked/messages", None, 403, "channel_access_denied"),
        ("POST", "/v1/channels/locked/members", {"key_id": "$other_key_id"}, 403, "forbidden"),
        ("POST", "/v1/channels/locked/access-requests/$asked/approve", None, 403, "forbidden"),
        ("POST", "/v1/channels/locked/invitations", None, 403, "forbidden"),
        ("DELETE", "/v1/channel-invitations/$invitation", None, 403, "forbidden"),
        ("DELETE", "/v1/channels/locked/members/$key_id", None, 403, "forbidden"),
        ("DELETE", "/v1/messages/$task", None, 403, "forbidden"),
        ("POST", "/v1/messages/$task/cancel", {}, 403, "forbidden"),
        ("POST", "/v1/messages/$held/ack", {"claim_token": "$token"}, 403, "actor_forbidden"),
        ("POST", "/v1/leases/$lease/heartbeat", {}, 403, "actor_forbidden"),
        ("GET", "/v1/sessions/$session", None, 404, "session_not_found"),
        ("DELETE", "/v1/sessions/$session", None, 404, "session_not_found"),
        ("GET", "/v1/actors/agent/webhook", None, 403, "actor_forbidden"),
        ("POST", "/v1/tasks/post", {**_POST, "actor": "agent"}, 403, "actor_forbidden"),
    )
]
