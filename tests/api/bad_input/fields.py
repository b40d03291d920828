"""Bodies that are JSON objects with something wrong in one field: each route that reads a body, each kind of mistake."""

from __future__ import annotations

from typing import Any

from .world import Row


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def posts(path: str, *cases: tuple[dict[str, Any], str, str], base: dict[str, Any] | None = None) -> list[Row]:
    """Rows of one route: what is wrong besides what stands in every body, the code and the field."""
    method, _, where = path.partition(" ")
    return [Row(method, where, {**(base or {}), **body}, 422, code, field) for body, code, field in cases]


BLANK = ["", " ", " \n\t", "\u2003"]
NO_NAMES = [
    "a{b}", "a}b", "a/b", "a\u0000b", "a\u0007b", "a\u007fb", "a\u0085b", "a\u00adb", "a\u200bb", "a\u200db", "a\ufeffb",
    "a\u202eb", "a\u2066b", "a\u2028b", "a\U000e0041b", "a\ue000b", "a\uffffb", "x" * 201, "\ufdfa" * 12,
]  # fmt: skip
"""No channel's name: braces, slash, controls, soft hyphen, zero-width, BOM, bidi, line separator, tag, private, unassigned,
too long, and what is too long once it is normalised."""
POST = {"channel": "c", "content": "x"}

TASKS = [
    *posts("POST /v1/tasks/post", *(({"channel": name}, "invalid_channel_name", "channel") for name in NO_NAMES), base=POST),
    *posts("POST /v1/tasks/post", *(({"content": text}, "invalid_string", "content") for text in BLANK), base=POST),
    *posts(
        "POST /v1/tasks/post",
        ({"channel": 7}, "invalid_string", "channel"),
        ({"channel": ""}, "invalid_string", "channel"),
        ({"channel": "  "}, "invalid_string", "channel"),
        ({"channel": ["c"]}, "invalid_string", "channel"),
        ({"content": None}, "invalid_string", "content"),
        ({"content": 5}, "invalid_string", "content"),
        ({"content": ["x"]}, "invalid_string", "content"),
        ({"content": "x" * 65_537}, "content_too_large", "content"),
        ({"content": "é" * 32_769}, "content_too_large", "content"),
        ({"metadata": "m"}, "invalid_object", "metadata"),
        ({"metadata": []}, "invalid_object", "metadata"),
        ({"metadata": {"d": nested(100)}}, "invalid_object", "metadata"),
        ({"metadata": {"d": "x" * 17_000}}, "content_too_large", "metadata"),
        ({"metadata": {"x" * 17_000: 1}}, "content_too_large", "metadata"),
        ({"metadata": {"n": 10**400}}, "invalid_object", "metadata"),
        ({"actor": 1}, "invalid_string", "actor"),
        ({"actor": "a\u0007"}, "invalid_actor_name", "actor"),
        ({"actor": "a\u202eb"}, "invalid_actor_name", "actor"),
        ({"actor": "_"}, "invalid_actor_name", "actor"),
        ({"actor": "\uff3f"}, "invalid_actor_name", "actor"),
        ({"actor": "x" * 201}, "invalid_actor_name", "actor"),
        ({"actor_label": {}}, "invalid_string", "actor_label"),
        ({"actor_label": " "}, "invalid_string", "actor_label"),
        ({"delay_seconds": -1}, "invalid_delay_seconds", "delay_seconds"),
        ({"delay_seconds": "1"}, "invalid_delay_seconds", "delay_seconds"),
        ({"delay_seconds": True}, "invalid_delay_seconds", "delay_seconds"),
        ({"delay_seconds": 10**30}, "invalid_delay_seconds", "delay_seconds"),
        base=POST,
    ),
    *posts("POST /v1/tasks/post", ({}, "missing_field", "channel"), ({"channel": "c"}, "missing_field", "content")),
    *posts(
        "POST /v1/tasks/broadcast", ({}, "missing_field", "channel"), ({"content": 1}, "invalid_string", "content"), base={}
    )[:1],
    *posts("POST /v1/tasks/broadcast", ({"content": 1}, "invalid_string", "content"), base=POST),
    *posts("POST /v1/tasks/post-with-result", ({"metadata": 1}, "invalid_object", "metadata"), base=POST),
    *posts(
        "POST /v1/tasks/claim",
        ({}, "missing_field", "channel"),
        ({"channels": []}, "invalid_channels", "channels"),
        ({"channels": ["c"] * 21}, "invalid_channels", "channels"),
        ({"channels": "c"}, "invalid_channels", "channels"),
        ({"channels": [1]}, "invalid_string", "channels.0"),
        ({"channels": ["work", "a{b}"]}, "invalid_channel_name", "channel"),
        ({"channel": "work", "wait": -1}, "invalid_wait", "wait"),
        ({"channel": "work", "wait": True}, "invalid_wait", "wait"),
        ({"channel": "work", "wait": 10**400}, "invalid_wait", "wait"),
        ({"channel": "work", "lease_seconds": 0}, "invalid_lease_seconds", "lease_seconds"),
        ({"channel": "work", "lease_seconds": 86_401}, "invalid_lease_seconds", "lease_seconds"),
        ({"channel": "work", "lease_seconds": "60"}, "invalid_lease_seconds", "lease_seconds"),
        ({"channel": "work", "metadata": []}, "invalid_object", "metadata"),
        ({"channel": "work", "actor": "a\nb"}, "invalid_actor_name", "actor"),
    ),
    *posts(
        "POST /v1/tasks/results",
        ({}, "missing_field", "message_ids"),
        ({"message_ids": []}, "invalid_message_ids", "message_ids"),
        ({"message_ids": ["$task"] * 51}, "invalid_message_ids", "message_ids"),
        ({"message_ids": "$task"}, "invalid_message_ids", "message_ids"),
        ({"message_ids": [1]}, "invalid_string", "message_ids.0"),
        ({"message_ids": [""]}, "invalid_string", "message_ids.0"),
        ({"message_ids": ["$task"], "need": "most"}, "invalid_need", "need"),
        ({"message_ids": ["$task"], "need": None}, "invalid_need", "need"),
        ({"message_ids": ["$task"], "wait": -1}, "invalid_wait", "wait"),
        ({"message_ids": ["$task"], "wait": 10**400}, "invalid_wait", "wait"),
    ),
    *posts(
        "POST /v1/tasks/subscribe",
        ({"limit": 0}, "invalid_limit", "limit"),
        ({"limit": 101}, "invalid_limit", "limit"),
        ({"limit": 1.5}, "invalid_limit", "limit"),
        ({"limit": True}, "invalid_limit", "limit"),
        ({"limit": 10**400}, "invalid_limit", "limit"),
        ({"cursor": "nonsense"}, "invalid_cursor", "since"),
        ({"cursor": 10**400}, "invalid_cursor", "since"),
        ({"cursor": "9" * 21 + "-0"}, "invalid_cursor", "since"),
        ({"since": []}, "invalid_string", "since"),
        ({"wait": 86_401}, "invalid_wait", "wait"),
        base={"channel": "work"},
    ),
    *posts(
        "POST /v1/tasks/claim-and-ack",
        ({}, "missing_field", "message_id"),
        ({"message_id": 5}, "invalid_string", "message_id"),
    ),
    *posts("POST /v1/tasks/create-claimable-session", ({"name": "a{b"}, "invalid_channel_name", "name")),
    *posts("POST /v1/tasks/$held/result", ({}, "missing_field", "content"), ({"content": " "}, "invalid_string", "content")),
    *posts(
        "POST /v1/channels/work/redrive",
        ({"ids": []}, "invalid_ids", "ids"),
        ({"ids": ["$task"] * 101}, "invalid_ids", "ids"),
        ({"ids": [1]}, "invalid_string", "ids.0"),
    ),
    Row("POST", "/v1/channels/work/redrive", {"ids": ["x"]}, 404, "invalid_message_id", "ids"),
]

MESSAGES = [
    *posts(
        "POST /v1/channels/work/messages",
        ({"mentions": "bob"}, "invalid_mentions", "mentions"),
        ({"mentions": ["bob"] * 51}, "invalid_mentions", "mentions"),
        ({"mentions": [1]}, "invalid_mentions", "mentions"),
        ({"mode": "queue"}, "invalid_mode", "mode"),
        ({"create": "yes"}, "invalid_create", "create"),
        base={"content": "x"},
    ),
    *posts("POST /v1/channels/work/messages", ({}, "missing_field", "content")),
    *posts(
        "POST /v1/messages/$task/claim",
        ({"actor": []}, "invalid_string", "actor"),
        ({"actor": "\u200b"}, "invalid_actor_name", "actor"),
        ({"lease_seconds": 1e300}, "invalid_lease_seconds", "lease_seconds"),
    ),
    *posts(
        "POST /v1/messages/$task/claim-with-lease",
        ({"lease_seconds": 29}, "invalid_lease_seconds", "lease_seconds"),
        ({"lease_seconds": 3601}, "invalid_lease_seconds", "lease_seconds"),
        ({"lease_seconds": 60.5}, "invalid_lease_seconds", "lease_seconds"),
    ),
    *posts("POST /v1/leases/$lease/heartbeat", ({"lease_seconds": None}, "invalid_lease_seconds", "lease_seconds")),
    *posts(
        "POST /v1/messages/$held/ack",
        ({"status": "maybe"}, "invalid_status", "status"),
        ({"result": {"d": nested(100)}}, "invalid_object", "result"),
        ({"result": "x" * 65_537}, "content_too_large", "result"),
        ({"reason": "x" * 2_001}, "invalid_string", "reason"),
        ({"reason": 1}, "invalid_string", "reason"),
        ({"claim_token": 1}, "invalid_string", "claim_token"),
        ({"claim_token": "nonsense"}, "invalid_claim_token", "claim_token"),
        ({"mode": "queue"}, "invalid_mode", "mode"),
    ),
    *posts(
        "POST /v1/messages/$held/heartbeat",
        ({"lease_seconds": -5}, "invalid_lease_seconds", "lease_seconds"),
        ({"automatic": "yes"}, "invalid_automatic", "automatic"),
        *(({"note": note}, "invalid_string", "note") for note in (*BLANK, 1, [], "x" * 501)),
    ),
    *(
        row
        for verb, field in (("ask", "question"), ("answer", "answer"))
        for row in posts(
            f"POST /v1/messages/$held/{verb}",
            ({}, "missing_field", field),
            *(({field: text}, "invalid_string", field) for text in (*BLANK, None, 5, ["x"])),
            ({field: "x" * 65_537}, "content_too_large", field),
        )
    ),
    *posts("POST /v1/messages/$held/await-answer", ({"wait": -1}, "invalid_wait", "wait")),
    *posts("POST /v1/messages/$held/release", ({"delay_seconds": 10**9}, "invalid_delay_seconds", "delay_seconds")),
    *posts("POST /v1/messages/$held/fail", ({"reason": {}}, "invalid_string", "reason")),
    *posts("POST /v1/messages/$held/cancel", ({"reason": []}, "invalid_string", "reason")),
]
