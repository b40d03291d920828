"""Parameters of the URL's query that are malformed or out of range."""

from __future__ import annotations

from .world import Row

_FOLLOWED = ["/v1/channels/work/messages", "/v1/channels/locked/events"]
_PAGES = ["/v1/channels/work/history", "/v1/channels/work/dead-letters", "/v1/channels/work/webhook-failures"]
_PAGED = ["/v1/channels", *_PAGES]
NO_LIMITS = ["0", "101", "-1", "many", "", "1.5", "1e2", "9" * 500, "0x10", "%00", "1%00", "1;2", "%D9%A1", "true", "1+1"]
NO_CURSORS = [
    "yesterday", "%00", "x" * 10_000, "1-2-3", "-1-0", "1-", "9" * 21 + "-0", "%FF", "%ED%A0%80", "*", "$$", "~",
    "2026-13-01", "2026-11-23T25:00:00", "1e9",
]  # fmt: skip
_MESSAGES = _FOLLOWED[0]
_MENTIONS = "/v1/actors/agent/mentions"


def _get(path: str, query: str, code: str, field: str) -> Row:
    return Row("GET", f"{path}?{query}", None, 422, code, field)


QUERIES = [
    *(_get(path, f"limit={limit}", "invalid_limit", "limit") for path in (*_FOLLOWED, *_PAGES) for limit in NO_LIMITS),
    *(_get(_MENTIONS, f"limit={limit}", "invalid_limit", "limit") for limit in NO_LIMITS),
    *(_get(_MENTIONS, f"since={cursor}", "invalid_cursor", "since") for cursor in NO_CURSORS),
    *(_get(path, f"cursor={cursor}", "invalid_cursor", "cursor") for path in _PAGED for cursor in NO_CURSORS),
    *(
        _get(path, f"{name}={cursor}", "invalid_cursor", "since")
        for path in _FOLLOWED
        for name in ("cursor", "since")
        for cursor in NO_CURSORS
    ),
    *(
        _get(path, f"wait={wait}", "invalid_wait", "wait")
        for path in (_MESSAGES, "/v1/tasks/$held/result")
        for wait in ("-1", "nan", "inf", "-inf", "1e400", "", "soon", "86401", "1s", "%00")
    ),
    *(_get(_MESSAGES, f"status={status}", "invalid_status", "status") for status in ("done", "", "UNCLAIMED", "unclaimed%00")),
    *(
        _get(_MESSAGES, f"expiring_before={moment}", "invalid_expiring_before", "expiring_before")
        for moment in ("soon", "", "9" * 20, "2026-02-30", "%00")
    ),
    _get(_MESSAGES, "actor=%00", "invalid_actor_name", "actor"),
    _get(_MESSAGES, "actor=%E2%80%AE", "invalid_actor_name", "actor"),
    _get("/v1/channels", "limit=many", "invalid_limit", "limit"),
    # Of a repeated parameter the last counts.
    _get(_MESSAGES, "limit=5&limit=0", "invalid_limit", "limit"),
    _get(_MESSAGES, "status=claimed&status=done", "invalid_status", "status"),
    Row("GET", "/v1/channel-invitations/$invitation?accept=maybe", None, 422, "invalid_accept", "accept"),
    Row("GET", "/v1/admin/keys?limit=many", None, 422, "invalid_limit", "limit", [("X-Admin-Token", "$admin_token")]),
    Row("GET", "/v1/admin/keys?cursor=%00", None, 422, "invalid_cursor", "cursor", [("X-Admin-Token", "$admin_token")]),
]
