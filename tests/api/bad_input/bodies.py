"""Bodies that are no JSON object, whatever else they are."""

from __future__ import annotations

from .world import Row

DEEP = 100_000


def task(rest: bytes) -> bytes:
    return b'{"channel": "c", "content": "x", ' + rest + b"}"


NO_JSON = [
    b"{",
    b"nonsense",
    b"\x00",
    b"{}{}",
    b"{} {}",
    b"}",
    b"{,}",
    b"{'channel': 'c'}",
    b'{"channel": "c",}',
    b"// a comment\n{}",
    b'{"channel": c}',
    b'{"a": 01}',
    b'{"a": +1}',
    b'{"a": .5}',
    b'{"a": 0x10}',
    b'{"a": "\t"}',
    b'{"a": "\\x41"}',
    b'{"a": "\\u12"}',
    b'\xef\xbb\xbf{"channel": "c"}',  # the byte order mark of UTF-8
    '{"channel": "c"}'.encode("utf-16"),
    '{"channel": "c"}'.encode("utf-32"),
    b'\xff\xfe{"channel": "c"}',
    task(b'"metadata": {"n": NaN}'),
    task(b'"metadata": {"n": Infinity}'),
    task(b'"metadata": {"n": -Infinity}'),
    task(b'"metadata": {"n": 1e999}'),
    task(b'"metadata": {"n": -1E+400}'),
    task(b'"metadata": {"n": [[1e309]]}'),
    task(b'"metadata": {"n": ' + b"9" * 400 + b".0}"),
    task(b'"metadata": {"n": ' + b"1" * 5_000 + b"}"),
    task(b'"delay_seconds": 1e999'),
    task(b'"metadata": ' + b"[" * DEEP + b"]" * DEEP),
    b"[" * DEEP,
    b'{"a":' * 40_000,
]
NO_TEXT = [
    b"\xff", b"\xc3\x28", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x82\x82\xac", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xe2\x82", b"\\ud800", b"\\udc00", b"\\ud800\\ud800", b"\\udc00\\ud800",
]  # fmt: skip
"""No UTF-8, overlong, a surrogate, past the last character, cut off; and halves of surrogate pairs as JSON spells them."""
NO_OBJECTS = [b"[]", b"null", b'"text"', b"17", b"true", b"1.5", b'[{"channel": "c", "content": "x"}]', b'"{}"']
READS_A_BODY = [
    "POST /v1/tasks/post", "POST /v1/tasks/broadcast", "POST /v1/tasks/claim", "POST /v1/tasks/$held/result",
    "POST /v1/tasks/results", "POST /v1/tasks/subscribe", "POST /v1/channels/work/messages", "POST /v1/messages/$task/claim",
    "POST /v1/messages/$held/heartbeat", "POST /v1/messages/$held/ack", "POST /v1/messages/$held/release",
    "POST /v1/messages/$held/fail", "POST /v1/messages/$held/ask", "POST /v1/messages/$held/await-answer",
    "POST /v1/messages/$held/answer", "POST /v1/messages/$held/cancel", "POST /v1/messages/$task/claim-with-lease",
    "POST /v1/leases/$lease/heartbeat", "POST /v1/tasks/claim-and-ack", "POST /v1/tasks/create-claimable-session",
    "POST /v1/tasks/post-with-result", "POST /v1/channels", "PATCH /v1/channels/work", "POST /v1/channels/work/aliases",
    "POST /v1/channels/locked/access-requests", "POST /v1/channels/locked/members", "POST /v1/channels/work/redrive",
    "POST /v1/actors/agent/webhook", "POST /v1/actors", "POST /v1/actors/agent/aliases", "POST /v1/sessions",
    "PATCH /v1/sessions/$session", "POST /v1/keys", "PUT /v1/keys/me/scopes", "POST /v1/admin/keys",
    "POST /v1/admin/keys/$other_key_id/rotate", "PUT /v1/admin/keys/$other_key_id/scopes", "POST /v1/admin/minting",
]  # fmt: skip
"""Every route with a body, as the OpenAPI document has them."""
_BOTH = [("X-API-Key", "$key"), ("X-Admin-Token", "$admin_token")]

BODIES = [
    *(Row("POST", "/v1/tasks/post", send, 400, "invalid_json") for send in NO_JSON),
    *(Row("POST", "/v1/tasks/post", task(b'"actor": "' + text + b'"'), 400, "invalid_json") for text in NO_TEXT),
    *(Row("POST", "/v1/tasks/post", send, 422, "invalid_json_shape") for send in NO_OBJECTS),
    *(
        Row(*route.split(" ", 1), send, status, code, None, _BOTH)
        for route in READS_A_BODY
        for send, status, code in (
            (b"{", 400, "invalid_json"),
            (b"[]", 422, "invalid_json_shape"),
            (b"\xff", 400, "invalid_json"),
        )
    ),
    # The last of two members of one name counts.
    Row("POST", "/v1/tasks/post", task(b'"content": 5'), 422, "invalid_string", "content"),
    Row("POST", "/v1/tasks/post", b'{"channel": "a{b}", "channel": "c", "content": " "}', 422, "invalid_string", "content"),
    Row("PATCH", "/v1/channels/work", b'{"paused": true, "paused": 1}', 422, "invalid_paused", "paused"),
]
