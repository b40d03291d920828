"""Clients that go away, a server that is told to stop, a store that is down: nobody is left waiting and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings
from tests.servers import Server, free_port

from .conftest import SOON, UNLIMITED, Agent, begun, claimed, posted, refused, until_status

pytestmark = pytest.mark.anyio


async def raw_claim(agent: Agent, channel: str, actor: str) -> asyncio.StreamWriter:
    """A blocking claim on a socket of its own, sent and left unanswered."""
    _, writer = await asyncio.open_connection(agent.base_url.host, agent.base_url.port)
    body = json.dumps({"channel": channel, "actor": actor, "wait": 20}).encode()
    head = (
        f"POST /v1/tasks/claim HTTP/1.1\r\nHost: {agent.base_url.host}\r\n"
        f"X-API-Key: {agent.headers['X-API-Key']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    await begun(agent, actor)
    return writer


async def test_a_client_that_goes_away_takes_no_task_with_it(ann: Agent, bob: Agent, channel: str) -> None:
    """Whether the task comes before or after the connection breaks, another worker gets it, with its deliveries not used up."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable", "max_deliveries": 1})
    for round_number in range(12):
        writer = await raw_claim(ann, channel, f"gone-{channel}-{round_number}")
        if round_number % 2:
            writer.transport.abort()
            message = await posted(ann, channel)
        else:
            async with asyncio.TaskGroup() as group:
                posting = group.create_task(posted(ann, channel))
                writer.transport.abort()
            message = posting.result()
        claim = await claimed(bob, channel, wait=15)
        assert claim["claimed"]["id"] == message["id"]
        done = await bob.post(f"/v1/messages/{message['id']}/ack", json={"claim_token": claim["claim_token"]})
        assert done.status_code == 200, done.text


async def test_a_revoked_key_s_wait_ends_at_once(ann: Agent, bob: Agent, channel: str) -> None:
    """Its blocked claim ends with 401, long before its time."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        waiting = group.create_task(bob.post("/v1/tasks/claim", json={"channel": channel, "actor": f"w-{channel}", "wait": 20}))
        await begun(ann, f"w-{channel}")
        await bob.delete("/v1/keys/me")
    refused(waiting.result(), 401, "unauthorized")


@asynccontextmanager
async def a_process(data_dir: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """`backchannel serve` as a process of its own, and its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        "from api.serving import serve; from bus import Settings;"
        "serve(Settings(), started=lambda address, health: print(address, flush=True))",
        env={**environment, "BACKCHANNEL_DATA_DIR": str(data_dir), "BACKCHANNEL_PORT": "0", "BACKCHANNEL_RATE_LIMIT": "0"},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_server_that_is_told_to_stop_answers_its_waits_first(data_dir: Path, channel: str) -> None:
    """SIGTERM: an open claim gets its empty answer and an open await its `pending`, and the process ends within 2 s with 0."""
    async with a_process(data_dir) as (process, address), httpx.AsyncClient(base_url=address, timeout=30) as client:
        client.headers["X-API-Key"] = (await client.post("/v1/keys", json={"agent_label": uuid4().hex})).json()["key"]
        message = await posted(client, f"{channel}-2", delay_seconds=100)
        await client.post("/v1/channels", json={"name": channel, "mode": "claimable"})
        async with asyncio.TaskGroup() as group:
            result = group.create_task(client.get(f"/v1/tasks/{message['id']}/result", params={"wait": 20}))
            claim = group.create_task(
                client.post("/v1/tasks/claim", json={"channel": channel, "actor": f"w-{channel}", "wait": 20})
            )
            await begun(client, f"w-{channel}")
            told = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            assert time.monotonic() - told < 2
        assert (claim.result().status_code, claim.result().json()["claimed"]) == (200, None)
        assert (result.result().status_code, result.result().json()["status"]) == (200, "pending")


@pytest.fixture
async def fragile(tmp_path: Path) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server over a store that can be taken away, and a client with a key."""
    store = Server(tmp_path)
    store.start()
    settings = Settings(redis_url=store.url, host="127.0.0.1", port=free_port(), **UNLIMITED)
    try:
        async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            client.headers["X-API-Key"] = (await client.post("/v1/keys", json={"agent_label": "ann"})).json()["key"]
            yield store, client
    finally:
        store.stop()


async def test_a_store_that_is_down_is_told_and_comes_back(fragile: tuple[Server, httpx.AsyncClient], channel: str) -> None:
    """503 with Retry-After within 5 s; alive all the time; ready by itself once the store is back, with all it had."""
    store, client = fragile
    message = await posted(client, channel)
    assert (await client.get("/ready")).json()["status"] == "ready"
    store.kill()
    asked = time.monotonic()
    for send in (client.post("/v1/tasks/claim", json={"channel": channel}), client.get("/ready")):
        answer = await send
        refused(answer, 503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    alive = await client.get("/health")
    assert (alive.status_code, alive.json()["status"], alive.json()["db_latency_ms"]) == (200, "ok", None)
    assert time.monotonic() - asked < 5 * 3
    store.start()
    await until_status(client, "/ready", 200)
    assert (await client.get("/health")).json()["db_latency_ms"] > 0
    assert (await claimed(client, channel))["claimed"]["id"] == message["id"]


async def test_a_store_that_hangs_is_told_too(fragile: tuple[Server, httpx.AsyncClient], channel: str) -> None:
    """It accepts connections and never answers: still 503, still within its time."""
    store, client = fragile
    await posted(client, channel)
    store.pause()
    try:
        asked = time.monotonic()
        refused(await client.get(f"/v1/channels/{channel}"), 503, "store_unavailable")
        assert time.monotonic() - asked < 6
        assert (await client.get("/health")).status_code == 200
    finally:
        store.resume()
    await until_status(client, "/ready", 200)


async def test_a_wait_outlives_a_restart_of_the_store(fragile: tuple[Server, httpx.AsyncClient], channel: str) -> None:
    """The blocked claim goes on by itself and gets what is posted after."""
    store, client = fragile
    await client.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    async with asyncio.timeout(25), asyncio.TaskGroup() as group:
        waiting = group.create_task(client.post("/v1/tasks/claim", json={"channel": channel, "actor": "w", "wait": 20}))
        await begun(client, "w")
        store.kill()
        refused(await client.get("/ready"), 503, "store_unavailable")
        store.start()
        await until_status(client, "/ready", 200)
        message = await posted(client, channel)
    assert waiting.result().json()["claimed"]["id"] == message["id"]


async def test_the_server_starts_without_its_store(tmp_path: Path) -> None:
    """It says that it is not ready, and is when the store has come."""
    store = Server(tmp_path)
    settings = Settings(redis_url=store.url, host="127.0.0.1", port=free_port(), **UNLIMITED)
    try:
        async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            assert (await client.get("/health")).status_code == 200
            refused(await client.get("/ready"), 503, "store_unavailable")
            store.start()
            await until_status(client, "/ready", 200)
            assert (await client.post("/v1/keys", json={"agent_label": "ann"})).status_code == 201
    finally:
        store.stop()
