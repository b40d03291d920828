"""Sections 3.6, 3.8 and 3.9: actors and their webhooks, sessions, numbers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from .conftest import HOOK_SECRET, Row, Scene, named

pytestmark = pytest.mark.anyio

ACTOR = "/v1/actors/<owner_label>"
URL = {"url": "http://127.0.0.1:9/hook"}
ROWS: list[Row] = [
    *(("nobody", method, path, body, 401, "unauthorized") for method, path, body in (
        ("POST", "/v1/actors", {"name": "x"}), ("GET", ACTOR, None), ("POST", f"{ACTOR}/aliases", {"alias": "x"}),
        ("POST", f"{ACTOR}/webhook", URL), ("GET", f"{ACTOR}/webhook", None), ("DELETE", f"{ACTOR}/webhook", None),
        ("POST", "/v1/sessions", {"name": "x"}), ("GET", "/v1/sessions", None), ("GET", "/v1/sessions/x", None),
        ("PATCH", "/v1/sessions/x", {}), ("DELETE", "/v1/sessions/x", None), ("GET", "/v1/observability/metrics", None),
    )),
    ("owner", "POST", "/v1/actors", {}, 422, "missing_field"),
    ("owner", "POST", "/v1/actors", {"name": " "}, 422, "invalid_string"),
    ("owner", "POST", "/v1/actors", {"name": "x", "metadata": []}, 422, "invalid_object"),
    ("owner", "POST", "/v1/actors", {"name": "<owner_label>"}, 201, ""),
    ("stranger", "POST", "/v1/actors", {"name": "<owner_label>"}, 403, "actor_forbidden"),
    ("stranger", "GET", ACTOR, None, 200, ""),
    ("stranger", "GET", "/v1/actors/no-such", None, 404, "actor_not_found"),
    ("stranger", "POST", f"{ACTOR}/aliases", {"alias": "x"}, 403, "actor_forbidden"),
    ("owner", "POST", "/v1/actors/no-such/aliases", {"alias": "x"}, 404, "actor_not_found"),
    ("owner", "POST", f"{ACTOR}/aliases", {}, 422, "missing_field"),
    ("owner", "POST", f"{ACTOR}/aliases", {"alias": "<stranger_label>"}, 409, "alias_conflict"),
    ("owner", "POST", f"{ACTOR}/aliases", {"alias": "<owner_label>"}, 409, "alias_conflict"),
    ("stranger", "GET", f"{ACTOR}/webhook", None, 403, "actor_forbidden"),
    ("stranger", "POST", f"{ACTOR}/webhook", URL, 403, "actor_forbidden"),
    ("stranger", "DELETE", f"{ACTOR}/webhook", None, 403, "actor_forbidden"),
    ("owner", "GET", "/v1/actors/no-such/webhook", None, 404, "actor_not_found"),
    ("owner", "POST", "/v1/actors/no-such/webhook", URL, 404, "actor_not_found"),
    ("owner", "DELETE", "/v1/actors/no-such/webhook", None, 404, "actor_not_found"),
    ("owner", "GET", f"{ACTOR}/webhook", None, 404, "webhook_not_found"),
    ("owner", "DELETE", f"{ACTOR}/webhook", None, 200, ""),
    ("owner", "POST", f"{ACTOR}/webhook", {}, 422, "missing_field"),
    ("owner", "POST", f"{ACTOR}/webhook", {"url": "ftp://example.com"}, 422, "invalid_webhook_url"),
    ("owner", "POST", f"{ACTOR}/webhook", {"url": "http://10.0.0.1"}, 422, "invalid_webhook_url"),
    ("owner", "POST", f"{ACTOR}/webhook", {**URL, "secret": ""}, 422, "invalid_string"),
    ("owner", "POST", "/v1/sessions", {}, 422, "missing_field"),
    ("owner", "POST", "/v1/sessions", {"name": " "}, 422, "invalid_string"),
    ("owner", "POST", "/v1/sessions", {"name": "x", "state": []}, 422, "invalid_object"),
    *(("owner", method, f"/v1/sessions/{odd}", {}, 404, "session_not_found")
      for method in ("GET", "PATCH", "DELETE") for odd in ("no-such", "0f30dbcf-8a15-4d0e-9f0a-6d7a1c9b1d11", "%00", "%C3%A9")),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_actors_and_sessions(scene: Scene, row: Row) -> None:
    """Who may, who may not, and what is wrong with what was sent."""
    await scene.check(row)


async def test_an_actor_by_all_its_names(scene: Scene) -> None:
    """An alias is good wherever an actor is named: looked at, named otherwise again, acting, mentioned."""
    name = f"writer-{uuid4().hex[:8]}"
    made = await scene.done("owner", "POST", "/v1/actors", {"name": name, "description": "d", "metadata": {"n": 1}})
    assert set(made) == {
        "id", "owner_id", "created_by_key_id", "name", "description", "metadata", "aliases", "created_at", "updated_at"
    }  # fmt: skip
    assert (made["owner_id"], made["description"], made["metadata"]) == (scene.names["owner_label"], "d", {"n": 1})
    await scene.done("owner", "POST", f"/v1/actors/{name}/aliases", {"alias": f"{name}-2"})
    found = await scene.done("owner", "POST", f"/v1/actors/{name}-2/aliases", {"alias": f"{name}-3"})
    assert (found["id"], found["aliases"]) == (name, [f"{name}-2", f"{name}-3"])
    assert (await scene.done("stranger", "GET", f"/v1/actors/{name}-3"))["id"] == name
    await scene.check(("stranger", "POST", "/v1/actors", {"name": f"{name}-2"}, 403, "actor_forbidden"))
    posted = await scene.done("owner", "POST", "/v1/channels/<news>/messages", {
        "content": "x", "actor": f"{name}-2", "mentions": [f"{name}-3", name, "no-such"]
    })  # fmt: skip
    assert posted["message"]["actor"] == {"id": name, "name": name}
    assert posted["message"]["mentions"] == [{"id": name, "name": name}]
    await scene.check(
        ("stranger", "POST", "/v1/channels/<news>/messages", {"content": "x", "actor": f"{name}-2"}, 403, "actor_forbidden")
    )
    task = await scene.done("owner", "POST", "/v1/tasks/post", {"channel": f"for-{name}", "content": "x"})
    claim = await scene.done("owner", "POST", f"/v1/messages/{task['message']['id']}/claim", {"actor": f"{name}-2"})
    assert claim["message"]["claimed_by"] == {"id": name, "name": name}
    acked = await scene.done("owner", "POST", f"/v1/messages/{task['message']['id']}/ack", {"actor": f"{name}-3"})
    assert acked["status"] == "acknowledged"


async def test_an_actor_s_webhook(scene: Scene) -> None:
    """Where it leads is shown to its owner, what signs it to nobody; setting it again replaces it."""
    name = f"hooked-{uuid4().hex[:8]}"
    await scene.done("owner", "POST", "/v1/actors", {"name": name})
    path = f"/v1/actors/{name}/webhook"
    made = await scene.done("owner", "POST", path, {**URL, "secret": HOOK_SECRET})
    assert {each: made[each] for each in ("actor_id", "url", "has_secret")} == {"actor_id": name, **URL, "has_secret": True}
    assert await scene.done("owner", "GET", path) == made
    assert (await scene.done("owner", "POST", path, URL))["has_secret"] is False
    for _ in range(2):
        assert await scene.done("owner", "DELETE", path) == {"deleted": True}
    await scene.check(("owner", "GET", path, None, 404, "webhook_not_found"))


async def test_a_session(scene: Scene) -> None:
    """24 hours from its creation; a change merges the top level of state, or of the body; another key never sees it."""
    made = await scene.done("owner", "POST", "/v1/sessions", {"name": "review", "state": {"a": 1, "b": {"c": 2}}})
    assert set(made) == {"id", "name", "state", "created_at", "updated_at", "expires_at"}
    path = f"/v1/sessions/{made['id']}"
    for body, state in (
        ({}, {"a": 1, "b": {"c": 2}}),
        ({"state": {"b": {"d": 3}}}, {"a": 1, "b": {"d": 3}}),
        ({"e": None}, {"a": 1, "b": {"d": 3}, "e": None}),
        ({"state": {"a": None}, "x": 1}, {"a": None, "b": {"d": 3}, "e": None}),
    ):
        changed: dict[str, Any] = await scene.done("owner", "PATCH", path, body)
        assert (changed["state"], changed["expires_at"], changed["name"]) == (state, made["expires_at"], "review")
    assert await scene.done("owner", "GET", path) == changed
    newer = await scene.done("owner", "POST", "/v1/sessions", {"name": "next", "state": None})
    assert [each["id"] for each in (await scene.done("owner", "GET", "/v1/sessions"))["data"][:2]] == [newer["id"], made["id"]]
    for method in ("GET", "PATCH", "DELETE"):
        await scene.check(("stranger", method, path, {}, 404, "session_not_found"))
    assert await scene.done("owner", "DELETE", path) == {"status": "deleted"}
    await scene.check(("owner", "DELETE", path, None, 404, "session_not_found"))


async def test_what_a_key_has(scene: Scene) -> None:
    """Exactly five numbers; a channel of somebody else's does not count."""
    await scene.join("counted")
    await scene.done("counted", "POST", "/v1/sessions", {"name": "one"})
    channel = f"counted-{uuid4().hex[:8]}"
    for content in ("x", "y"):
        await scene.done("counted", "POST", "/v1/tasks/post", {"channel": channel, "content": content})
    await scene.done("counted", "POST", "/v1/tasks/claim", {"channel": channel})
    await scene.done("counted", "POST", "/v1/channels/<news>/messages", {"content": "x"})
    assert await scene.done("counted", "GET", "/v1/observability/metrics") == {
        "key_id": scene.names["counted_id"],
        "channels_owned": 1,
        "messages_in_owned_channels": 2,
        "messages_claimed_in_owned_channels": 1,
        "active_sessions": 1,
    }


async def test_what_everybody_may_see_of_the_server(scene: Scene) -> None:
    """/health, /status and /metrics without a key; no id and no name of a channel is in the metrics."""
    async with httpx.AsyncClient(base_url=scene.url) as client:
        health, status, metrics = [await client.get(path) for path in ("/health", "/status", "/metrics")]
    told = {"status", "db_latency_ms", "api_version", "instance_kind", "public_minting_enabled", "status_url"}
    assert told <= set(health.json())
    assert (health.json()["status"], health.json()["api_version"]) == ("ok", "1.0")
    assert health.json()["status_url"] == f"{scene.url}/status"
    assert set(status.json()) == {
        "status", "version", "instance_kind", "updated_at", "availability", "health_url", "self_host_url"
    }  # fmt: skip
    assert (status.json()["status"], status.json()["health_url"]) == ("operational", f"{scene.url}/health")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert 'backchannel_requests_total{method="GET",path="/health",status="200"}' in metrics.text
    assert "backchannel_request_duration_seconds_bucket{" in metrics.text
    assert scene.names["open"] not in metrics.text
    assert scene.names["task"] not in metrics.text
