"""What an operator and an agent can see of the server from outside: metrics, status, health, also while the store is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from api.app import create_app
from api.serving import serving
from bus import Settings
from tests.servers import Server

from .conftest import SOON, UNLIMITED, Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio

Labels = tuple[str, ...]


@pytest.fixture
async def fresh(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a server that nobody has asked anything yet."""
    alone = settings.model_copy(update={"redis_url": "memory://fresh"})
    async with serving(alone) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def counted(client: httpx.AsyncClient) -> dict[Labels, float]:
    """Requests by method, path and status."""
    families = {family.name: family for family in plain((await client.get("/metrics")).text)}
    return {
        (sample.labels["method"], sample.labels["path"], sample.labels["status"]): sample.value
        for sample in families["backchannel_requests"].samples
        if sample.name == "backchannel_requests_total"
    }


async def test_requests_are_counted_by_route_and_status(fresh: httpx.AsyncClient) -> None:
    """Prometheus reads it: how many, by the route's template, and how long they took."""
    for name in ("one", "two", "three"):
        await fresh.get(f"/v1/channels/{name}/messages")
    await fresh.head("/health")
    await fresh.options("/v1/tasks/claim")
    await fresh.put("/v1/tasks/claim")
    await fresh.post("/mcp", json={})
    found = await counted(fresh)
    assert found == {
        ("GET", "/v1/channels/{channel}/messages", "401"): 3,
        ("HEAD", "/health", "200"): 1,
        ("OPTIONS", "/v1/tasks/claim", "204"): 1,
        ("PUT", "/v1/tasks/claim", "405"): 1,
        ("POST", "/mcp", "401"): 1,
    }
    text = (await fresh.get("/metrics")).text
    sums = {
        s.labels["path"]: s for f in plain(text) for s in f.samples if s.name == "backchannel_request_duration_seconds_count"
    }
    assert sums["/v1/channels/{channel}/messages"].value == 3
    assert (await counted(fresh))["GET", "/metrics", "200"] == 2


async def test_a_client_that_hangs_up_is_counted_as_gone(fresh: httpx.AsyncClient, channel: str) -> None:
    """A wait that nobody is there for any more is no success and no failure of the server: 499, and its time."""
    key = (await fresh.post("/v1/keys", json={"agent_label": "ann"})).json()["key"]
    headers = {"X-API-Key": key}
    await fresh.post("/v1/channels", json={"name": channel, "mode": "broadcast"}, headers=headers)
    with pytest.raises(httpx.ReadTimeout):
        await fresh.get(f"/v1/channels/{channel}/messages?wait=20", headers=headers, timeout=0.2)
    gone = ("GET", "/v1/channels/{channel}/messages", "499")
    async with asyncio.timeout(SOON):
        while gone not in await counted(fresh):  # noqa: ASYNC110  # the server tells no event
            await asyncio.sleep(0.01)
    assert (await counted(fresh))[gone] == 1


async def test_strangers_cannot_grow_the_metrics(fresh: httpx.AsyncClient) -> None:
    """What nobody serves is one series, whatever the path and the method: a scanner costs no memory."""
    for number in range(20):
        await fresh.get(f"/wp-admin/{number}")
        await fresh.request("PROPFIND", f"/{number}")
        await fresh.request("MKCOL", "/health")
    found = await counted(fresh)
    assert found == {("GET", "other", "404"): 20, ("other", "other", "404"): 20, ("other", "/health", "405"): 20}


async def test_a_scraper_gets_the_format_it_asks_for(fresh: httpx.AsyncClient) -> None:
    """Text 0.0.4 by default, OpenMetrics for who asks."""
    usual = await fresh.get("/metrics")
    assert usual.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    newer = await fresh.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert newer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert {family.name for family in open_metrics(newer.text)} == {
        "backchannel_requests",
        "backchannel_request_duration_seconds",
    }


async def test_two_servers_in_one_process_count_apart(fresh: httpx.AsyncClient, http: httpx.AsyncClient) -> None:
    """Each app has its own figures."""
    await http.get("/health")
    assert ("GET", "/health", "200") not in await counted(fresh)


async def test_status_and_health_say_how_it_is(settings: Settings) -> None:
    """The contract's fields; each names the other at this server's address."""
    named = settings.model_copy(
        update={"redis_url": "memory://named", "instance_kind": "team", "source_url": "https://git.example/bus"}
    )
    async with serving(named) as url, httpx.AsyncClient(base_url=url) as client:
        status, health = (await client.get("/status")).json(), (await client.get("/health")).json()
    moment = datetime.fromisoformat(status.pop("updated_at"))
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert status == {
        "status": "operational",
        "version": health["version"],
        "instance_kind": "team",
        "availability": "the store answers",
        "health_url": f"{url}/health",
        "self_host_url": "https://git.example/bus",
    }
    assert (health["status"], health["instance_kind"], health["api_version"]) == ("ok", "team", "1.0")
    assert health["status_url"] == f"{url}/status"
    assert health["public_minting_enabled"] is True
    assert health["db_latency_ms"] >= 0


@asynccontextmanager
async def without_store(directory: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, Server]]:
    """A server whose store has not been started yet."""
    store = Server(directory)
    try:
        settings = Settings(redis_url=store.url, port=0, **UNLIMITED)
        async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield client, store
    finally:
        store.stop()


async def test_a_key_sees_what_is_its_own(http: httpx.AsyncClient, ann: Agent, bob: Agent, channel: str) -> None:
    """Its channels, what stands in them and is held there, its sessions; nothing of another key's, nothing without a key."""
    none = {"channels_owned": 0, "messages_in_owned_channels": 0, "messages_claimed_in_owned_channels": 0, "active_sessions": 0}
    before = (await ann.get("/v1/observability/metrics")).json()
    assert before == {"key_id": ann.headers["X-API-Key"].partition(".")[0], **none}
    for name in (channel, f"{channel}-two"):
        await ann.post("/v1/channels", json={"name": name, "mode": "claimable"})
        await posted(bob, name)
        await posted(bob, name)
    await claimed(bob, channel)
    await ann.post("/v1/sessions", json={"name": "mine"})
    after = (await ann.get("/v1/observability/metrics")).json()
    assert {name: after[name] for name in none} == {
        "channels_owned": 2,
        "messages_in_owned_channels": 4,
        "messages_claimed_in_owned_channels": 1,
        "active_sessions": 1,
    }
    assert {name: (await bob.get("/v1/observability/metrics")).json()[name] for name in none} == none
    refused(await http.get("/v1/observability/metrics"), 401, "unauthorized")


Answered = tuple[str, str, bool, httpx.Response]
"""Path, method, whether it takes an API key, and the answer."""


async def every_operation(client: httpx.AsyncClient) -> list[Answered]:
    """Asked at once, as whoever holds a key that looks like one."""
    found: list[Answered] = []
    headers = {"X-API-Key": f"bck_{'x' * 12}.{'y' * 32}"}

    async def ask(path: str, method: str, operation: dict[str, Any]) -> None:
        answer = await client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
        found.append((path, method, {"ApiKeyAuth": []} in operation.get("security", ()), answer))

    async with asyncio.TaskGroup() as group:
        for path, methods in create_app(Settings(redis_url="memory://paths")).openapi()["paths"].items():
            for method, operation in methods.items():
                group.create_task(ask(path, method, operation))
    return found


async def test_a_store_that_is_down_fails_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    """Every public page answers as ever, /status says `degraded`; what needs the store is 503 and says when to come back."""
    async with without_store(tmp_path) as (client, _):
        assert (await client.get("/status")).json()["status"] == "degraded"
        health = await client.get("/health")
        assert (health.status_code, health.json()["db_latency_ms"]) == (200, None)
        for path, method, keyed, answer in await every_operation(client):
            if keyed or path == "/ready":
                refused(answer, 503, "store_unavailable")
                assert int(answer.headers["Retry-After"]) >= 1
            elif method == "get" and not path.startswith("/v1/"):
                assert answer.status_code < 400, (path, answer.text)
            else:
                assert answer.status_code != 500, (path, answer.text)


async def test_a_store_that_hangs_does_not_hang_the_status(tmp_path: Path) -> None:
    """A store that takes connections and never answers is as good as down, and is said to be, soon."""
    async with without_store(tmp_path) as (client, store):
        store.start()
        assert (await client.get("/ready")).status_code == 200
        store.pause()
        try:
            async with asyncio.timeout(10):
                assert (await client.get("/status")).json()["status"] == "degraded"
                assert (await client.get("/health")).json()["db_latency_ms"] is None
        finally:
            store.resume()
        assert (await client.get("/status")).json()["status"] == "operational"
