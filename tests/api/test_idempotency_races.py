"""`Idempotency-Key` over HTTP when things happen at once, or break in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Bus, Caller, Settings, connect
from bus.errors import StoreUnavailable
from bus.idempotency import Idempotency, Remembered

from .conftest import Agent, begun, claimed, posted, refused

pytestmark = pytest.mark.anyio


def keyed(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


async def test_a_client_that_hangs_up_leaves_its_key_free(ann: Agent, bob: Agent, channel: str) -> None:
    """It got no answer, and the claim was undone: a repeat waits for a task as the first did."""
    await posted(ann, channel)
    await claimed(ann, channel)
    body = {"channel": channel, "actor": f"{channel}-w", "wait": 15}
    first = asyncio.create_task(bob.post("/v1/tasks/claim", json=body, headers=keyed("w")))
    await begun(bob, body["actor"])
    first.cancel()
    again = asyncio.create_task(bob.post("/v1/tasks/claim", json=body, headers=keyed("w")))
    await posted(ann, channel, "for who waits")
    answer = await again
    assert answer.json()["claimed"]["content"] == "for who waits"
    assert "X-Idempotent-Replay" not in answer.headers


class OutOfReach:
    """The record can be taken, and not written any more."""

    def __init__(self, real: Idempotency) -> None:
        self._real = real

    async def begin(self, caller: Caller, idempotency_key: str, fingerprint: str) -> Remembered | None:
        return await self._real.begin(caller, idempotency_key, fingerprint)

    async def keep(self, caller: Caller, idempotency_key: str, fingerprint: str, answer: Remembered) -> None:
        raise StoreUnavailable("the store went away")

    async def forget(self, caller: Caller, idempotency_key: str, fingerprint: str) -> None:
        raise StoreUnavailable("the store went away")


async def test_what_was_done_is_answered_though_it_cannot_be_remembered(
    settings: Settings, ann: Agent, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns of its claim, or of its mistake; the log says why a repeat will be held off."""

    @asynccontextmanager
    async def failing(chosen: Settings) -> AsyncGenerator[Bus]:
        async with connect(chosen) as bus:
            yield replace(bus, idempotency=OutOfReach(bus.idempotency))

    await posted(ann, channel)
    async with (
        serving(settings, connect=failing) as url,
        httpx.AsyncClient(base_url=url, timeout=30, headers=ann.headers) as agent,
    ):
        answer = await agent.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("k"))
        assert answer.json()["claimed"]["content"] == "do it"
        missing = await agent.post("/v1/tasks/claim", json={"channel": f"{channel}-none"}, headers=keyed("l"))
        refused(missing, 404, "channel_not_found")
    assert sum("could not be kept" in record.message for record in caplog.records) == 2


@pytest.fixture
async def replicas(settings: Settings, base_url: str, ann: Agent) -> AsyncGenerator[tuple[Agent, Agent]]:
    """The same agent at two servers over one store."""
    async with serving(settings) as other, httpx.AsyncClient(base_url=other, timeout=30, headers=ann.headers) as there:
        assert other != base_url
        yield ann, there


async def test_concurrent_requests_with_one_key_have_one_effect(replicas: tuple[Agent, Agent], channel: str) -> None:
    """Forty at once over two servers: one claims, thirty-nine are told what it got."""
    here, there = replicas
    for n in range(50):
        await posted(here, channel, str(n))

    async def claim(agent: Agent) -> httpx.Response:
        return await agent.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("all"))

    answers = await asyncio.gather(*(claim(agent) for _ in range(20) for agent in (here, there)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("X-Idempotent-Replay", "") for answer in answers) == [""] + ["true"] * 39
    counts = (await here.get(f"/v1/channels/{channel}/counts")).json()
    assert counts["in_flight"] == 1


async def test_concurrent_failures_with_one_key_are_each_their_own(replicas: tuple[Agent, Agent], channel: str) -> None:
    """Each tries for itself in its turn: none is told of what was not done, and none hangs."""
    path = f"/v1/sessions/{uuid4()}"
    answers = await asyncio.gather(*(agent.delete(path, headers=keyed(channel)) for _ in range(6) for agent in replicas))
    for answer in answers:
        refused(answer, 404, "session_not_found")
