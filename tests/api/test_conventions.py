"""What holds for every request and every answer, whatever the route."""

from __future__ import annotations

import asyncio
import math
import re
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from api.app import create_app
from api.errors import STATUS, install
from api.metrics import Metrics
from api.middleware import Edge, routes_of
from api.serving import serving
from bus import Settings, errors

from .conftest import SOON, Agent, refused

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
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert "Strict-Transport-Security" not in headers


async def test_only_successes_link_to_the_description(http: httpx.AsyncClient) -> None:
    """An agent that got an answer finds the rest of the API from it, at addresses that are served."""
    links = (await http.get("/health")).headers.get_list("Link", split_commas=True)
    found = [re.fullmatch(r'<(/[^>]+)>; rel="([a-z-]+)"', link) for link in links]
    assert [link[2] for link in found if link] == ["service-desc", "ai-manifest"]
    for link in found:
        assert link is not None
        assert (await http.get(link[1])).status_code == 200
    assert "Link" not in (await http.get("/nowhere")).headers


async def test_how_much_is_left_stands_on_what_was_counted(settings: Settings) -> None:
    """The configured limit on every answer; what is left of it on an API key's, also when that is refused; 0 on public ones."""
    limited = settings.model_copy(update={"redis_url": "memory://limited", "rate_limit": 3, "rate_limit_window": 30})
    async with serving(limited) as url, httpx.AsyncClient(base_url=url) as client:
        key = (await client.post("/v1/keys", json={"agent_label": "ann"})).json()["key"]
        answers = [await client.get("/v1/keys/me", headers={"X-API-Key": key}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
        body = refused(answers[3], 429, "rate_limit_exceeded")
        assert int(answers[3].headers["Retry-After"]) == math.ceil(body["retry_after"]) in range(1, 31)
        public, unknown, nobody = await client.get("/health"), await client.get("/nowhere"), await client.get("/v1/keys/me")
        for answer in (*answers, public, unknown, nobody):
            assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Window"]) == ("3", "30")
        assert public.headers["X-RateLimit-Remaining"] == "0"
        assert "X-RateLimit-Remaining" not in unknown.headers
        assert "X-RateLimit-Remaining" not in nobody.headers


@pytest.mark.parametrize(
    ("raised", "status", "wait"),
    [
        (errors.RateLimitExceeded("x", retry_after=0.2), 429, "1"),
        (errors.ChannelFull("x"), 429, "1"),
        (errors.ChannelPaused("x", retry_after=30), 503, "30"),
        (errors.IdempotencyInProgress("x", retry_after=4.2), 409, "5"),
        (errors.ChannelExists("x"), 409, None),
        (errors.StoreFull("x"), 507, None),
    ],
)
async def test_who_should_come_back_is_told_when(raised: errors.BusError, status: int, wait: str | None) -> None:
    """Retry-After in whole seconds, never sooner than the error says; on what a repeat alone does not mend there is none."""

    async def fail() -> None:
        raise raised

    app = FastAPI()
    app.add_api_route("/", fail)
    install(app)
    app.add_middleware(Edge, settings=Settings(redis_url="memory://"), metrics=Metrics(), routes=routes_of(app))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.get("/")
    refused(answer, status, raised.code)
    assert answer.headers.get("Retry-After") == wait


async def test_a_trace_is_carried_on(http: httpx.AsyncClient) -> None:
    """A caller's trace is echoed; what is no trace is replaced."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert (await http.get("/health", headers={"traceparent": trace})).headers["traceparent"] == trace
    assert (await http.get("/health", headers={"traceparent": "mine"})).headers["traceparent"] != "mine"


Served = list[tuple[str, set[str]]]
"""Each path that is served, with its parameters filled in, and its methods."""


@pytest.fixture
def served() -> Served:
    """Every route of the API, also those that its description leaves out."""
    paths: dict[str, set[str]] = {}
    for route in create_app(Settings(redis_url="memory://routes")).routes:
        if isinstance(route, Route):
            path = re.sub(r"\{[^}]+\}", "some", route.path)
            paths.setdefault(path, set()).update(route.methods or ())
    return sorted(paths.items())


async def test_head_is_get_without_the_body(http: httpx.AsyncClient, ann: Agent, served: Served) -> None:
    """On every path that has GET: the same status and headers and no bytes; where there is no GET it is refused alike."""
    # What differs from one GET to the next.
    own = {"x-request-id", "traceparent", "x-ratelimit-remaining", "date"}
    of_the_moment = {"/health": {"content-length"}, "/metrics": {"content-length"}}
    gets = [path for path, methods in served if "GET" in methods]
    assert len(gets) > 10
    for path in gets:
        for client in (http, ann):
            head, got = await client.head(path), await client.get(path)
            assert head.status_code == got.status_code < 500, path
            assert head.content == b"", path
            left_out = own | of_the_moment.get(path, set())
            wanted, found = ({k: v for k, v in one.headers.items() if k not in left_out} for one in (got, head))
            assert wanted == found, path
    refusal = await ann.head("/v1/tasks/claim")
    assert (refusal.status_code, refusal.content) == (405, b"")


async def test_a_wrong_method_is_told_the_right_ones(http: httpx.AsyncClient, served: Served) -> None:
    """On every path, 405 names each method that is served there, by whichever route, and no other; key or no key."""
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
    for path, known in served:
        answers = {method: await http.request(method, path) for method in methods}
        wrong = {method for method, answer in answers.items() if answer.status_code == 405}
        assert {"TRACE", "PROPFIND"} <= wrong
        assert not known & wrong
        for method in wrong - {"HEAD"}:
            body = refused(answers[method], 405, "method_not_allowed")
            allowed = answers[method].headers["Allow"].split(", ")
            assert body["allowed_methods"] == allowed == sorted(methods - wrong), (method, path)


@pytest.mark.parametrize("path", ["/v1", "/v1/channels/", "/v1/keys/me/", "/v1/messages", "/v2/keys"])
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


async def raw(url: str, *sent: bytes) -> list[bytes]:
    """What comes back on a socket after each of these pieces, and at last until the server closes it."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    came: list[bytes] = []
    try:
        async with asyncio.timeout(SOON):
            for piece in sent[:-1]:
                writer.write(piece)
                came.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(sent[-1])
            came.append(await reader.read(-1))
    finally:
        writer.close()
    return came


async def test_a_client_that_asks_first_is_told_before_it_sends(base_url: str) -> None:
    """Expect: 100-continue is answered as soon as the body is wanted; a body that is too large is never sent for."""
    head = b"POST /v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nExpect: 100-continue\r\n"
    go, answer = await raw(base_url, head + b"Content-Length: 2\r\n\r\n", b"{}")
    assert go == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 422 ")
    (refusal,) = await raw(base_url, head + b"Content-Length: 262145\r\n\r\n")
    assert refusal.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"Content-Length: 2\r\nContent-Length: 3", b"Content-Length: -2"],
)
async def test_a_body_of_two_lengths_is_no_request(base_url: str, framing: bytes) -> None:
    """What a proxy and this server could read as different requests is refused as a whole."""
    head = b"POST /v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    (answer,) = await raw(base_url, head + framing + b"\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 400 ")


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
