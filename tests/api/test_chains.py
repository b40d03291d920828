"""Chains and workers on the wire: what a posting body takes, what its answer tells, how a loop is told to stop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

from .conftest import UNLIMITED, Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio

VERBS = ["/v1/tasks/post", "/v1/tasks/post-with-result", "/v1/channels/{channel}/messages"]


@pytest.fixture
async def strict() -> AsyncGenerator[httpx.AsyncClient]:
    """A server that stops chains early, and an agent on it."""
    settings = Settings(redis_url=f"memory://{uuid4().hex}", host="127.0.0.1", port=0, max_hops=2, chain_limit=2, **UNLIMITED)
    async with serving(settings) as base_url, httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        issued = await client.post("/v1/keys", json={"agent_label": "ann"})
        client.headers["X-API-Key"] = issued.json()["key"]
        yield client


@pytest.mark.parametrize("verb", VERBS)
async def test_a_chain_is_copied_from_a_claim_into_a_post(ann: Agent, channel: str, verb: str) -> None:
    """As it was given: the answer shows the hop that was made."""
    first = await posted(ann, channel)
    assert first["chain"] == {"id": first["id"], "hops": 0}
    held = (await claimed(ann, channel))["claimed"]
    body = {"channel": channel, "content": "go on", "chain": held["chain"]}
    answer = await ann.post(verb.format(channel=channel), json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["message"]["chain"] == {"id": first["id"], "hops": 1}


async def test_a_null_chain_is_none(ann: Agent, channel: str) -> None:
    """Clients that send every field they know."""
    first = await posted(ann, channel, chain=None)
    assert first["chain"] == {"id": first["id"], "hops": 0}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "chain",
    [
        "writers:1-1", ["writers:1-1", 0], 7, True, {}, {"id": "writers:1-1"}, {"hops": 0},
        {"id": None, "hops": 0}, {"id": 7, "hops": 0}, {"id": "", "hops": 0}, {"id": "writers", "hops": 0},
        {"id": "writers:1-1", "hops": None}, {"id": "writers:1-1", "hops": "0"}, {"id": "writers:1-1", "hops": -1},
        {"id": "writers:1-1", "hops": 0.5}, {"id": "writers:1-1", "hops": True}, {"id": "writers:1-1", "hops": 10_001},
        {"id": "wri{ters}:1-1", "hops": 0}, {"id": "writers:1-1\n", "hops": []},
    ],
)  # fmt: skip
async def test_a_malformed_chain_is_refused_and_nothing_is_stored(ann: Agent, channel: str, verb: str, chain: Any) -> None:
    """One code for whatever is wrong with it, and the field's name."""
    await posted(ann, channel)
    body = {"channel": channel, "content": "go on", "chain": chain}
    told = refused(await ann.post(verb.format(channel=channel), json=body), 422, "invalid_chain")
    assert told["field"] == "chain"
    assert (await ann.get(f"/v1/channels/{channel}/counts")).json()["total"] == 1


async def test_a_chain_that_is_too_long_is_a_conflict(strict: httpx.AsyncClient, channel: str) -> None:
    """409 with where it began and how long it may be; no Retry-After, for no time mends it."""
    first = await posted(strict, channel)
    await posted(strict, channel, chain={"id": first["id"], "hops": 1})
    body = {"channel": channel, "content": "go on", "chain": {"id": first["id"], "hops": 2}}
    answer = await strict.post("/v1/tasks/post", json=body)
    told = refused(answer, 409, "chain_too_long")
    assert (told["chain_id"], told["max_hops"]) == (first["id"], 2)
    assert first["id"] in told["message"]
    assert "Retry-After" not in answer.headers


async def test_a_chain_over_its_budget_is_told_when_to_come_back(strict: httpx.AsyncClient, channel: str) -> None:
    """429 with the seconds in the body and in Retry-After; a replay of what was posted before is still answered."""
    first = await posted(strict, channel)
    body = {"channel": channel, "content": "go on", "chain": first["chain"]}
    key = {"Idempotency-Key": uuid4().hex}
    assert (await strict.post("/v1/tasks/post", json=body, headers=key)).status_code == 201
    await posted(strict, channel, chain=first["chain"])
    answer = await strict.post("/v1/tasks/post", json=body)
    told = refused(answer, 429, "chain_rate_exceeded")
    assert told["chain_id"] == first["id"]
    assert 1700 < told["retry_after"] <= 1800
    assert answer.headers["Retry-After"] == str(told["retry_after"])
    again = await strict.post("/v1/tasks/post", json=body, headers=key)
    assert (again.status_code, again.headers["X-Idempotent-Replay"]) == (201, "true")
    assert (await strict.get(f"/v1/channels/{channel}/counts")).json()["total"] == 3


async def test_a_broadcast_takes_no_chain(ann: Agent, channel: str) -> None:
    """On the channel's own route it is refused; the verb for news has no such field."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "broadcast"})
    chain = (await posted(ann, f"{channel}-0"))["chain"]
    body = {"content": "news", "chain": chain}
    refused(await ann.post(f"/v1/channels/{channel}/messages", json=body), 409, "channel_not_claimable")
    refused(await ann.post(f"/v1/channels/{channel}/messages", json=body | {"mode": "broadcast"}), 422, "invalid_chain")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_post_tells_who_works_there(ann: Agent, bob: Agent, channel: str, verb: str) -> None:
    """Nobody ever, with null; then when somebody was last seen, as a timestamp."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})

    async def workers() -> dict[str, Any]:
        answer = await ann.post(verb.format(channel=channel), json={"channel": channel, "content": "x"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["nearest"] == []
        return answer.json()["workers"]

    assert await workers() == {"waiting": 0, "recent": 0, "last_seen_at": None}
    taken = (await claimed(bob, channel))["claimed"]
    found = await workers()
    assert found == {"waiting": 0, "recent": 1, "last_seen_at": taken["claimed_at"]}


async def test_a_post_that_makes_a_channel_names_its_nearest(ann: Agent, channel: str) -> None:
    """In case one of them was meant."""
    await posted(ann, channel)
    answer = await ann.post("/v1/tasks/post", json={"channel": f"{channel}s", "content": "x"})
    assert answer.json()["channel_created"] is True
    assert answer.json()["nearest"][0] == channel
    news = await ann.post("/v1/tasks/broadcast", json={"channel": f"{channel}-news", "content": "x"})
    assert channel in news.json()["nearest"]
    assert news.json()["workers"] is None
