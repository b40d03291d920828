"""Section 1, conventions: transport, the order of processing, errors, headers, preflights, identifiers, timestamps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from .conftest import Row, Scene, named

pytestmark = pytest.mark.anyio

TRANSPORT: list[Row] = [
    ("owner", "POST", "/v1/channels", None, 422, "missing_field"),  # an empty body is {}
    ("owner", "PATCH", "/v1/channels/<open>", None, 200, ""),
    ("owner", "POST", "/v1/channels", [], 422, "invalid_json_shape"),
    ("owner", "POST", "/v1/sessions", {"name": "x", "unknown": 1}, 201, ""),
    ("owner", "PATCH", "/v1/channels/<open>", {"unknown": 1}, 422, "invalid_fields"),
    ("nobody", "GET", "/no-such", None, 404, "not_found"),
    ("nobody", "GET", "/v1", None, 404, "not_found"),
    ("owner", "GET", "/v1/channels/", None, 404, "not_found"),
    ("owner", "GET", "/v1/channels/<open>/", None, 404, "not_found"),
    ("owner", "GET", "/v1/keys/me/", None, 404, "not_found"),
    ("owner", "GET", "//v1/channels", None, 404, "not_found"),
    ("owner", "PUT", "/v1/channels/<open>", None, 405, "method_not_allowed"),
    ("nobody", "DELETE", "/v1/keys", None, 405, "method_not_allowed"),
    ("nobody", "GET", "/v1/tasks/claim", None, 405, "method_not_allowed"),
]
ORDER: list[Row] = [
    ("nobody", "POST", "/v1/channels", [], 401, "unauthorized"),
    ("nobody", "GET", "/v1/channels?limit=many", None, 401, "unauthorized"),
    ("nobody", "GET", "/v1/channels/no-such", None, 401, "unauthorized"),
    ("nobody", "PATCH", "/v1/channels/no-such", {"unknown": 1}, 401, "unauthorized"),
    ("nobody", "POST", "/v1/messages/no-such/claim", {}, 401, "unauthorized"),
    ("nobody", "POST", "/v1/admin/minting", [], 401, "admin_unauthorized"),
    ("nobody", "GET", "/no-such", None, 404, "not_found"),
]
IDENTIFIERS: list[Row] = [
    *(("owner", "GET", f"/v1/channels/{name}", None, 200, "") for name in ("<open>", "<open_alias>")),
    ("owner", "POST", "/v1/tasks/subscribe", {"channel": "<open_alias>"}, 200, ""),
    ("owner", "POST", "/v1/tasks/post", {"channel": "<open_alias>", "content": "x"}, 201, ""),
    ("owner", "POST", "/v1/tasks/broadcast", {"channel": "<news_alias>", "content": "x"}, 201, ""),
    ("owner", "POST", "/v1/tasks/post-with-result", {"channel": "<open_alias>", "content": "x"}, 201, ""),
    ("owner", "POST", "/v1/channels/<open_alias>/redrive", {"ids": ["<open>:1-1"]}, 404, "dead_letter_not_found"),
    ("owner", "GET", "/v1/messages/<task>", None, 200, ""),
    *(("owner", "GET", f"/v1/messages/{odd}", None, 404, "message_not_found")
      for odd in ("no-such", "0f30dbcf-8a15-4d0e-9f0a-6d7a", "%00", "<open>", "<open>:", ":1-1", "<open>:1", "<open>:1-x")),
    *(("owner", "POST", f"/v1/leases/{odd}/heartbeat", {}, 410, "lease_expired")
      for odd in ("no-such", "%00", "%C3%A9", "AAAA")),
]  # fmt: skip
CURSORS = [
    "%D9%A3.%D9%A4", "1.999999999999999999999999999999", "9" * 40, "(1", "%2Binf", "-1.0", "1e5.0", ".", "~", "1~1",
    "99999999999999999999-0", "1-99999999999999999999", "%D9%A3-%D9%A4", "2026-13-01", "null", "%00", "1.1.1",
]  # fmt: skip
PAGES = [
    "/v1/channels?cursor", "/v1/channels?since", "/v1/channels/<open>/messages?cursor", "/v1/channels/<open>/messages?since",
    "/v1/channels/<open>/history?cursor", "/v1/channels/<open>/events?since", "/v1/channels/<open>/dead-letters?cursor",
    "/v1/channels/<open>/webhook-failures?cursor",
]  # fmt: skip
WRONG: list[Row] = [("owner", "GET", f"{page}={odd}", None, 422, "invalid_cursor") for page in PAGES for odd in CURSORS]


@pytest.mark.parametrize("row", [*TRANSPORT, *ORDER, *IDENTIFIERS], ids=named)
async def test_conventions(scene: Scene, row: Row) -> None:
    """Whether a path and method are there, then the key, then everything else; unknown fields are ignored but in PATCH."""
    await scene.check(row)


@pytest.mark.parametrize("row", WRONG, ids=named)
async def test_what_is_no_cursor_is_refused(scene: Scene, row: Row) -> None:
    """Whatever it looks like: it neither fails nor begins anew."""
    await scene.check(row)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_a_body_is_json_whatever_it_is_called(scene: Scene, kind: str) -> None:
    """Also when it is called nothing at all; and what is not JSON is not, however it is called."""
    for content, status in ((b'{"name": "x"}', 201), (b"name=x", 400)):
        answer = await scene.ask("owner", "POST", "/v1/sessions", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-API-Key": ""}, {"X-API-Key": "nodot"}, {"X-API-Key": "bck_x.y"}, {"X-API-Key": "."}, {"X-API-Key": "é"},
        {"X-API-Key": "bck_" + "x" * 5000 + ".y"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"},
    ],
)  # fmt: skip
async def test_no_key_is_no_key(scene: Scene, headers: dict[str, str]) -> None:
    """Missing, without a dot, unknown: one code for all of them."""
    sent = {name: value.encode() for name, value in headers.items()}
    answer = await scene.ask("nobody", "GET", "/v1/keys/me", headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_a_wrong_secret_is_as_unknown_as_a_wrong_id(scene: Scene) -> None:
    """Nothing tells a caller that half of a key was right."""
    key = scene.who["owner"].headers["X-API-Key"]
    answers = [
        await scene.ask("nobody", "GET", "/v1/keys/me", headers={"X-API-Key": each})
        for each in (key[:-1] + ("a" if key[-1] != "a" else "b"), "bck_" + "x" * 12 + key[16:])
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["message"] == answers[1].json()["message"]


EXTRAS: list[tuple[Row, dict[str, Any]]] = [
    (
        ("owner", "POST", "/v1/channels/<open>/messages", {"content": "x" * 70_000}, 422, "content_too_large"),
        {"max_content_bytes": 65_536, "received_bytes": 70_000},
    ),
    (("owner", "PATCH", "/v1/channels/<open>", {"b": 1, "a": 1}, 422, "invalid_fields"), {"fields": ["a", "b"]}),
    (
        ("owner", "POST", "/v1/channels", {"name": "<open>", "mode": "broadcast"}, 409, "channel_exists"),
        {"mode": "claimable", "access": "open"},
    ),
    (("nobody", "GET", "/v1/tasks/post", None, 405, "method_not_allowed"), {"allowed_methods": ["OPTIONS", "POST"]}),
]


@pytest.mark.parametrize(("row", "extras"), EXTRAS, ids=lambda each: each[5] if isinstance(each, tuple) else "")
async def test_extras_stand_at_the_top_level(scene: Scene, row: Row, extras: dict[str, Any]) -> None:
    """Beside error and message, under the names that clients know."""
    found = await scene.check(row)
    assert {name: sorted(found[name]) if name == "fields" else found[name] for name in extras} == extras


async def test_violations_stand_at_the_top_level(scene: Scene, channel: str) -> None:
    """Each with the field, dotted from metadata, and what is wrong with it."""
    schema = {"type": "object", "properties": {"to": {"type": "object", "required": ["city"]}}}
    await scene.done("owner", "PATCH", f"/v1/channels/{channel}", {"metadata_schema": schema})
    body = {"content": "x", "metadata": {"to": {}}}
    found = await scene.check(("owner", "POST", "/v1/channels/<mine>/messages", body, 422, "metadata_validation_failed"))
    assert [set(each) for each in found["violations"]] == [{"field", "issue"}]
    assert found["violations"][0]["field"].startswith("metadata.to")


async def test_a_preflight(scene: Scene) -> None:
    """On any path that a route matches, keyed or not; no other path has one."""
    for path in ("/v1/channels", "/v1/channels/<open>/messages", "/health", "/v1/admin/minting", "/mcp", "/llms.txt"):
        answer = await scene.ask("nobody", "OPTIONS", path)
        assert (answer.status_code, answer.headers["Access-Control-Max-Age"]) == (204, "86400")
        methods = set(answer.headers["Access-Control-Allow-Methods"].split(", "))
        assert methods >= {"GET", "POST", "PATCH", "DELETE", "OPTIONS"}
        headers = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
        assert headers >= {"Content-Type", "X-API-Key", "Idempotency-Key", "X-Admin-Token"}
    await scene.check(("nobody", "OPTIONS", "/no-such", None, 404, "not_found"))


async def test_timestamps(scene: Scene) -> None:
    """ISO 8601 in UTC with an offset and microseconds; those that come in may have Z, an offset, or neither."""
    made = (await scene.done("owner", "GET", "/v1/channels/<open>"))["created_at"]
    moment = datetime.fromisoformat(made)
    assert (moment.tzinfo, len(made), made[-6:]) == (UTC, 32, "+00:00")
    bare = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    for given in (made.replace("+", "%2B"), made, f"{bare}Z", bare):  # a raw + comes as a space
        page = await scene.done("owner", "GET", f"/v1/channels/<open>/messages?since={given}&limit=100")
        assert scene.names["task"] in [each["id"] for each in page["data"]]
        page = await scene.done("owner", "GET", f"/v1/channels/<open>/messages?expiring_before={given}")
        assert page["data"] == []


async def test_head_is_a_get_without_its_body(scene: Scene) -> None:
    """On every path that GET serves without parameters of its own: the same status and the same length."""
    async with httpx.AsyncClient(base_url=scene.url, headers=scene.who["owner"].headers) as client:
        for path, methods in scene.watch.document["paths"].items():
            if "get" in methods and "{" not in path and "metrics" not in path:
                head, get = await client.head(path), await client.get(path)
                assert (head.status_code, head.content) == (get.status_code, b""), path
                assert head.headers["Content-Type"] == get.headers["Content-Type"], path
