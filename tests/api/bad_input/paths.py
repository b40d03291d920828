"""Paths that are tricks: what is there is found under its name only, and what is asked for is never something else."""

from __future__ import annotations

from .world import Row


def _get(path: str, status: int, code: str, field: str | None = None) -> Row:
    return Row("GET", path, None, status, code, field)


_NOWHERE = [
    "/v1/channels/", "/v1/channels/work/", "/v1//channels/work", "//v1/channels", "/v1/channels//messages",
    "/v1/channels/./work", "/v1/channels/../keys/me", "/v1/keys/me/../me", "/v1/channels/work/messages/",
    "/v1/channels/work/messages/..", "/v1/Channels", "/V1/channels", "/v1/channels/work/messages;a=b", "/v1;/channels",
    "/v1/channels/%2e%2e/keys/me", "/v1/channels/work%2Fmessages/x", "/v1/channels/work%2F%2e%2e", "/v1/leases/%2F/heartbeat",
    "/v1/messages/work/1-0", "/v1", "/v1/", "/.env", "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../../etc/passwd", "/v1/channels/work/messages/%00", "/docs/../../pyproject.toml",
    "/docs/..%2f..%2fpyproject.toml", "/docs/%2e%2e%2fREADME.md",
]  # fmt: skip
"""There is no route."""
_NO_CHANNELS = [
    "%00", "a%00", "%7B%7D", "work%7Bx%7D", "{work}", "a%0Ab", "a%7Fb", "a%C2%85b", "a%C2%AD", "a%E2%80%8B", "a%E2%80%AE",
    "a%EF%BB%BF", "a%F3%A0%81%81", "a%EE%80%80", "x" * 201, "x" * 10_000, "%EF%B7%BA" * 12,
]  # fmt: skip
"""No channel has such a name."""
_NO_SUCH_CHANNELS = [
    ".", "..", "%2e", "%2e%2e", "%252e%252e", "*", "w%3Frk", "work:stream", "bc:keys", "work;a=b", "work,news", "~", "%25",
    "%F0%9F%98%80", "%ED%95%9C", "x" * 200, "%FF", "%ED%A0%80", "%C0%AF", "$key_id", "work%23", "wor+k",
]  # fmt: skip
_NO_MESSAGES = [
    "x", "0f30dbcf-8a15-4d0e-9f0a-6d7a1c9b1d11", "nowhere:1-0", ":1-0", "work:", "work:0-0", "work:1-0", "work:-1-0",
    "work:$$", "work:*", "work:1-0%00", "work:" + "9" * 20 + "-" + "9" * 20, "work:" + "9" * 21 + "-0", "%F0%9F%98%80:1-0",
    "x" * 10_000, "work%3A1-0", "work:%D9%A1-0",
]  # fmt: skip
_ACTS = ["claim", "ack", "release", "heartbeat", "fail", "cancel", "claim-with-lease", "await-answer"]
_NO_LEASES = [
    "x", "=", "%00", "AAAA", "d29yaw", "d29yazoxLTAK", "d29yazoxLTAKMX4", "$token", "$held", "x" * 10_000, "%F0%9F%98%80",
    "d29yazoxLTAKMX5hZ2VudA%3D%3D", "$lease" + "AAAA",
]  # fmt: skip
_OTHERS = "/v1/channels/locked"

PATHS = [
    *(_get(path, 404, "not_found") for path in _NOWHERE),
    *(_get(f"/v1/channels/{name}", 422, "invalid_channel_name", "channel") for name in _NO_CHANNELS),
    *(_get(f"/v1/channels/{name}", 404, "channel_not_found") for name in _NO_SUCH_CHANNELS),
    *(
        Row("POST", f"/v1/channels/{name}/messages", {"content": "x"}, 422, "invalid_channel_name", "channel")
        for name in _NO_CHANNELS
    ),
    *(Row("DELETE", f"/v1/channels/{name}", None, 404, "channel_not_found") for name in _NO_SUCH_CHANNELS),
    *(Row("POST", f"/v1/messages/{name}/{act}", {}, 404, "message_not_found") for name in _NO_MESSAGES for act in _ACTS),
    *(_get(f"/v1/messages/{name}", 404, "message_not_found") for name in _NO_MESSAGES),
    *(_get(f"/v1/tasks/{name}/result", 404, "result_not_ready") for name in _NO_MESSAGES),
    *(Row("DELETE", f"/v1/messages/{name}", None, 404, "message_not_found") for name in _NO_MESSAGES),
    *(Row("POST", f"/v1/leases/{name}/heartbeat", {}, 410, "lease_expired") for name in _NO_LEASES),
    *(_get(f"/v1/actors/{name}", 404, "actor_not_found") for name in ("nobody", "a/b", "..", "*", "%25", "nobody%2Fwebhook")),
    *(
        _get(f"/v1/actors/{name}", 422, "invalid_actor_name", "actor")
        for name in ("_", "a%00", "a%E2%80%AE", "x" * 201, "%EF%BC%BF")
    ),
    *(_get(f"/v1/sessions/{name}", 404, "session_not_found") for name in ("x", "%00", "*", "x" * 10_000, "%F0%9F%98%80", "{}")),
    *(Row("DELETE", f"/v1/sessions/{name}", None, 404, "session_not_found") for name in ("x", "%00", "*")),
    *(Row("PATCH", f"/v1/sessions/{name}", {"a": 1}, 404, "session_not_found") for name in ("x", "%00", "*")),
    *(
        _get(f"/v1/channel-invitations/{name}", 404, "invitation_not_found")
        for name in ("x", "%00", "*", "x" * 10_000, "%F0%9F%98%80")
    ),
    *(Row("DELETE", f"/v1/channel-invitations/{name}", None, 404, "invitation_not_found") for name in ("x", "%00", "*")),
    *(
        Row("POST", f"{_OTHERS}/access-requests/{name}/{verb}", None, 404, "access_request_not_found")
        for name in ("x", "%00", "*", "~", "$other_key_id", "$other_key_id~x", "x" * 10_000)
        for verb in ("approve", "deny")
    ),
    *(
        Row("DELETE", f"{_OTHERS}/members/{name}", None, 422, "invalid_key_id", "key_id")
        for name in ("%7B%7D", "a%00", "x" * 10_000, "$key")
    ),
    *(
        Row("POST", f"/v1/admin/keys/{name}/revoke", None, 404, "key_not_found", None, [("X-Admin-Token", "$admin_token")])
        for name in ("x", "%00", "*", "%7B%7D", "$key", "x" * 10_000)
    ),
    *(
        Row(
            "POST",
            f"/v1/admin/channels/{name}/pause",
            None,
            404,
            "channel_not_found",
            None,
            [("X-Admin-Token", "$admin_token")],
        )
        for name in ("x", "..", "*")
    ),
    Row(
        "POST",
        "/v1/admin/channels/%00/pause",
        None,
        422,
        "invalid_channel_name",
        "channel",
        [("X-Admin-Token", "$admin_token")],
    ),
]
