"""Requests that go straight from the edge to their route are answered as those that go through FastAPI."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from api.errors import INVALID
from api.serving import serving
from bus import Settings

from .conftest import UNLIMITED, Agent, refused

pytestmark = pytest.mark.anyio


async def test_a_request_that_fastapi_refuses_counts_once(settings: Settings) -> None:
    """It comes by its route twice, straight and then through FastAPI, and is one request to the rate limit all the same."""
    limited = settings.model_copy(update={**UNLIMITED, "rate_limit": 10})
    async with serving(limited) as url, httpx.AsyncClient(base_url=url) as client:
        issued = await client.post("/v1/keys", json={"agent_label": f"straight-{uuid4().hex[:8]}"})
        client.headers["X-API-Key"] = issued.json()["key"]
        wrong = await client.post("/v1/tasks/post", json={"channel": "straight", "content": 7})
        right = await client.post("/v1/tasks/post", json={"channel": "straight", "content": "go"})
    refused(wrong, INVALID, "invalid_string")
    assert [each.headers["X-RateLimit-Remaining"] for each in (wrong, right)] == ["9", "8"]


async def test_an_idempotency_key_is_free_again_after_a_body_was_refused(ann: Agent) -> None:
    """What was refused for its fields did nothing, so the corrected request is the first under that key."""
    channel, headers = f"straight-{uuid4().hex[:8]}", {"Idempotency-Key": uuid4().hex}
    posted = await ann.post("/v1/tasks/post", json={"channel": channel, "content": "go"})
    wrong = await ann.post("/v1/tasks/claim", json={"channel": channel, "wait": "long"}, headers=headers)
    right = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=headers)
    refused(wrong, INVALID, "invalid_wait")
    assert right.json()["claimed"]["id"] == posted.json()["message"]["id"]


async def test_a_refusal_of_the_bus_counts_under_its_routes_path(ann: Agent, http: httpx.AsyncClient) -> None:
    """Metrics name the route, whichever way the request took; a path of its own for each message would fill them."""
    channel = f"straight-{uuid4().hex[:8]}"
    answer = await ann.get(f"/v1/messages/{channel}:1-0")
    refused(answer, 404, "message_not_found")
    counted = (await http.get("/metrics")).text
    assert 'path="/v1/messages/{message_id}",status="404"' in counted
    assert channel not in counted
