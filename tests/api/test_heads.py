"""The head of a request has to come in time, and the head of an answer is the same whoever puts it together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from api import heads
from api.app import create_app
from api.serving import serving
from bus import Bus, Settings, connect
from tests.servers import free_port

from .conftest import UNLIMITED, refused

pytestmark = pytest.mark.anyio

TOKEN = "an administrator's"
_PATIENCE_SECONDS = 10


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=None, port=free_port(), admin_token=SecretStr(TOKEN), **UNLIMITED)


@pytest.fixture
async def hasty(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """A server that waits for a head for a tenth of a second."""
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.1)
    async with serving(settings) as base_url:
        yield base_url


@asynccontextmanager
async def _connected(base_url: str) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    there = urlsplit(base_url)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(there.hostname, there.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def test_a_head_that_does_not_come_to_its_end_is_refused(hasty: str) -> None:
    """A client that sends a header now and then does not hold a connection for as long as it likes."""
    async with _connected(hasty) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\nHost: here\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"connection: close" in answer


async def test_a_connection_that_asks_for_nothing_is_closed(hasty: str) -> None:
    """Without an answer: there was no request."""
    async with _connected(hasty) as (reader, _):
        assert await reader.read() == b""


async def test_a_later_head_on_a_connection_has_no_more_time(hasty: str) -> None:
    """The first request was whole, the second one is not."""
    async with _connected(hasty) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        writer.write(b"GET /health")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_is_sent_ahead_does_not_end_the_request_before_it(hasty: str) -> None:
    """A claim waits for longer than a head may take, and is answered although half a request came after it."""
    async with httpx.AsyncClient(base_url=hasty) as client:
        api_key = (await client.post("/v1/keys", json={"agent_label": "ann"})).json()["key"]
        client.headers["X-API-Key"] = api_key
        assert (await client.post("/v1/channels", json={"name": "w", "mode": "claimable"})).status_code == 201
        async with _connected(hasty) as (reader, writer):
            body = b'{"channel": "w", "wait": 0.5}'
            writer.write(b"POST /v1/tasks/claim HTTP/1.1\r\nHost: here\r\nX-API-Key: " + api_key.encode())
            writer.write(b"\r\nContent-Length: %d\r\n\r\n%bGET /hea" % (len(body), body))
            answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 408 " in answer


async def test_an_answer_has_the_same_headers_through_our_server_as_through_any(settings: Settings) -> None:
    """Ours takes most of them as bytes; another one, such as a test's client, gets each by its name."""
    app = create_app(settings)
    async with app.router.lifespan_context(app), serving(settings) as base_url:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as any_server, httpx.AsyncClient() as client:
            for path, key in (("/health", "a-1"), ("/nothing", "a-2"), ("/v1/keys/me", None)):
                sent = {} if key is None else {"Idempotency-Key": key}
                there = await any_server.get(path, headers=sent)
                here = await client.get(f"{base_url}{path}", headers=sent)
                assert sorted(set(here.headers) - {"date"}) == sorted(there.headers)
                for name in set(there.headers) - {"x-request-id", "traceparent", "content-length", "etag"}:
                    assert here.headers.get_list(name) == there.headers.get_list(name), name


async def test_the_admin_token_is_looked_at_once_for_each_request(settings: Settings) -> None:
    """Also where FastAPI has to say what is wrong with the request."""
    asked: list[bool] = []

    class Counted:
        def __init__(self, bus: Bus) -> None:
            self._admin = bus.admin

        def __getattr__(self, name: str) -> Any:
            return getattr(self._admin, name)

        async def admit(self, *, right: bool, address: str | None) -> None:
            asked.append(right)
            await self._admin.admit(right=right, address=address)

    @asynccontextmanager
    async def connected(given: Settings) -> AsyncGenerator[Bus]:
        async with connect(given) as bus:
            yield replace(bus, admin=Counted(bus))  # pyright: ignore[reportArgumentType]  # it has all of its methods

    app = create_app(settings, connect=connected)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.post("/v1/admin/keys", json={"agent_label": 7}, headers={"X-Admin-Token": TOKEN})
    refused(answer, 422, "invalid_string")
    assert asked == [True]
