"""What a web page of another origin may ask for, and what it may not; tests/browser asks a browser."""

from __future__ import annotations

import httpx
import pytest

from api.app import create_app
from api.serving import serving
from bus import Settings

from .conftest import UNLIMITED, Agent, refused

pytestmark = pytest.mark.anyio

PAGE = "https://page.example"


def asks(method: str, *headers: str, **more: str) -> dict[str, str]:
    """What a browser sends before a request that is not simple."""
    return {
        "Origin": PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(headers),
        **more,
    }


def listed(answer: httpx.Response, header: str) -> set[str]:
    return {name.strip().casefold() for name in answer.headers[header].split(",")}


async def test_a_preflight_allows_what_the_api_takes(http: httpx.AsyncClient) -> None:
    """Every method of every described path, and every header that means something here; no cookies, for a day."""
    for path, methods in create_app(Settings(redis_url="memory://cors")).openapi()["paths"].items():
        answer = await http.options(path.replace("{", "").replace("}", ""), headers=asks("POST", "x-api-key"))
        assert (answer.status_code, answer.content) == (204, b""), path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert {*methods, "options"} <= listed(answer, "Access-Control-Allow-Methods"), path
        sent = {"authorization", "content-type", "x-api-key", "idempotency-key", "x-admin-token", "traceparent"}
        assert sent <= listed(answer, "Access-Control-Allow-Headers")
        assert answer.headers["Access-Control-Max-Age"] == "86400"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_preflight_for_mcp_allows_its_headers(http: httpx.AsyncClient) -> None:
    """An MCP client in a page that the operator allowed needs those of its protocol."""
    answer = await http.options("/mcp", headers=asks("POST", "mcp-protocol-version"))
    assert answer.headers["Allow"] == "OPTIONS, POST"
    mcp = {"mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"}
    assert mcp <= listed(answer, "Access-Control-Allow-Headers")


async def test_there_is_nothing_to_allow_where_nothing_is(http: httpx.AsyncClient) -> None:
    """A preflight for an unknown path is 404, in the shape of every error."""
    refused(await http.options("/v1/nowhere", headers=asks("POST")), 404, "not_found")


async def test_every_answer_may_be_read(http: httpx.AsyncClient, ann: Agent) -> None:
    """A page reads answers and errors alike, and the headers by which it traces, paces and repeats itself."""
    read = {
        "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-window", "retry-after", "idempotency-key",
        "x-idempotent-replay", "x-idempotency-source", "location", "deprecation", "sunset", "link",
    }  # fmt: skip
    for answer in (await http.get("/health"), await ann.get("/v1/channels"), await http.get("/v1/keys/me"), await ann.put("/")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert read <= listed(answer, "Access-Control-Expose-Headers")
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


async def test_only_pages_that_the_operator_allowed_reach_in() -> None:
    """A public page is not let into a private network, and mints no key there: unless its very origin is allowed."""
    settings = Settings(redis_url="memory://pages", port=0, allowed_hosts="page.example, dev.example:3000", **UNLIMITED)
    private = {"Access-Control-Request-Private-Network": "true"}
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        for origin, allowed in (
            (PAGE, True), ("http://dev.example:3000", True), ("http://dev.example", False), ("https://page.example:1", False),
            ("https://page.example.evil.example", False), ("null", False), ("http://127.0.0.1:3000", False),
            ("http://localhost", False),
        ):  # fmt: skip
            preflight = await client.options("/v1/keys", headers={**asks("POST"), **private, "Origin": origin})
            assert ("Access-Control-Allow-Private-Network" in preflight.headers) == allowed, origin
            minted = await client.post("/v1/keys", json={"agent_label": f"of {origin}"}, headers={"Origin": origin})
            assert minted.status_code == (201 if allowed else 403), origin
            if not allowed:
                refused(minted, 403, "origin_not_allowed")
