"""What holds for every request and every answer, whatever the route."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest

from api.errors import STATUS

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


async def test_every_answer_carries_the_contracts_headers(http: httpx.AsyncClient, ann: Agent) -> None:
    """Clients trace, page and limit themselves by these headers, on success and on failure."""
    for answer in (
        await http.get("/health"),
        await ann.get("/v1/channels"),
        await http.get("/nowhere"),
        await http.get("/v1/keys/me"),
    ):
        headers = answer.headers
        UUID(headers["X-Request-Id"])
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["traceparent"])
        assert headers["X-RateLimit-Limit"] == "0"
        assert headers["X-RateLimit-Window"] == "60"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert "Strict-Transport-Security" not in headers


async def test_only_successes_link_to_the_description(http: httpx.AsyncClient) -> None:
    """An agent that got an answer finds the rest of the API from it, at an address that is served."""
    link = (await http.get("/health")).headers["Link"]
    assert link == '</openapi.json>; rel="service-desc"'
    assert (await http.get("/openapi.json")).status_code == 200
    assert "Link" not in (await http.get("/nowhere")).headers


async def test_a_trace_is_carried_on(http: httpx.AsyncClient) -> None:
    """A caller's trace is echoed; what is no trace is replaced."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert (await http.get("/health", headers={"traceparent": trace})).headers["traceparent"] == trace
    assert (await http.get("/health", headers={"traceparent": "mine"})).headers["traceparent"] != "mine"


async def test_https_is_pinned_behind_a_proxy(http: httpx.AsyncClient) -> None:
    """Strict-Transport-Security goes only to who came by https."""
    answer = await http.get("/nowhere", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert answer.json()["documentation_url"].startswith("https://")


async def test_head_is_get_without_the_body(http: httpx.AsyncClient) -> None:
    """HEAD answers as GET does, with the same length and no bytes."""
    got, head = await http.get("/openapi.json"), await http.head("/openapi.json")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.content))


async def test_a_wrong_method_is_told_the_right_ones(http: httpx.AsyncClient, ann: Agent) -> None:
    """405 names every method of the path, not only those of the first route that has it."""
    body = refused(wrong := await ann.put("/v1/channels/writers/messages"), 405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert body["allowed_methods"] == ["GET", "HEAD", "OPTIONS", "POST"]
    refused(await http.get("/v1/tasks/claim"), 405, "method_not_allowed")


async def test_a_preflight_is_answered_where_there_is_a_route(http: httpx.AsyncClient) -> None:
    """A browser may ask what it may send; for a path that does not exist there is nothing to allow."""
    answer = await http.options("/v1/tasks/claim")
    assert answer.status_code == 204
    assert answer.content == b""
    assert "X-API-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PATCH, DELETE, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    refused(await http.options("/v1/nowhere"), 404, "not_found")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/channels/", "/v1/keys/me/", "/v1/messages", "/v2/keys"])
async def test_what_is_not_there_is_404_in_json(http: httpx.AsyncClient, path: str) -> None:
    """No redirects and no HTML: an agent reads the same shape as ever."""
    refused(await http.get(path), 404, "not_found")


async def test_a_body_is_json_whatever_it_is_called(ann: Agent, channel: str) -> None:
    """`curl -d` says it sends a form; it is taken as the JSON it is."""
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "nonsense"):
        answer = await ann.post(
            "/v1/tasks/post", content=f'{{"channel": "{channel}", "content": "x"}}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 201, answer.text


async def test_an_empty_body_is_an_empty_object(ann: Agent, channel: str) -> None:
    """A POST without a body lacks fields, it is not malformed."""
    assert refused(await ann.post("/v1/tasks/claim"), 422, "missing_field")["field"] == "channel"


async def test_a_body_over_the_limit_is_refused_before_it_is_read(ann: Agent, settings: object) -> None:
    """413, whether the length is declared or the body comes in pieces."""
    limit = 262_144
    assert (
        refused(await ann.post("/v1/tasks/post", content=b"x" * (limit + 1)), 413, "body_too_large")["max_body_bytes"] == limit
    )

    async def pieces():  # an async generator of bytes
        for _ in range(10):
            yield b" " * (limit // 8)

    refused(await ann.post("/v1/tasks/post", content=pieces()), 413, "body_too_large")


async def test_a_client_s_idempotency_key_is_echoed(ann: Agent, channel: str) -> None:
    """The answer says whose key it was, and whether it is a repeat; only for what changes something."""
    send = {"url": "/v1/tasks/post", "json": {"channel": channel, "content": "once"}, "headers": {"Idempotency-Key": "k-1"}}
    first, second = await ann.post(**send), await ann.post(**send)
    for answer in (first, second):
        assert answer.headers["Idempotency-Key"] == "k-1"
        assert answer.headers["X-Idempotency-Source"] == "client"
    assert "X-Idempotent-Replay" not in first.headers
    assert second.headers["X-Idempotent-Replay"] == "true"
    assert second.json()["message"]["id"] == first.json()["message"]["id"]
    assert "Idempotency-Key" not in (await ann.get("/v1/channels", headers={"Idempotency-Key": "k-1"})).headers
    assert "X-Idempotency-Source" not in (await ann.post("/v1/tasks/claim", json={"channel": channel})).headers


async def test_the_documentation_is_named_at_this_server_s_own_address(http: httpx.AsyncClient) -> None:
    """A Host that nobody allowed is not repeated to the client."""
    own = (await http.get("/nowhere")).json()["documentation_url"]
    assert own.startswith(str(http.base_url).rstrip("/"))
    foreign = (await http.get("/nowhere", headers={"Host": "evil.example"})).json()["documentation_url"]
    assert "evil.example" not in foreign


def test_statuses_are_errors() -> None:
    """The one table of codes holds nothing that a client would take for success."""
    assert all(400 <= status <= 599 for status in STATUS.values())
