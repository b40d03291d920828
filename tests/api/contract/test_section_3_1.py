"""Section 3.1, keys: get one, look at it, narrow it, end it, see what was done with it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from .conftest import Row, Scene, named

pytestmark = pytest.mark.anyio

ROWS: list[Row] = [
    ("nobody", "POST", "/v1/keys", {}, 422, "missing_field"),
    ("nobody", "POST", "/v1/keys", {"agent_label": None}, 422, "missing_field"),
    ("nobody", "POST", "/v1/keys", {"agent_label": "  "}, 422, "invalid_string"),
    ("nobody", "POST", "/v1/keys", {"agent_label": "<owner_label>"}, 409, "label_in_use"),
    ("nobody", "POST", "/v1/keys", {"agent_label": "  <owner_label>  "}, 409, "label_in_use"),
    ("nobody", "GET", "/v1/keys/me", None, 401, "unauthorized"),
    ("nobody", "DELETE", "/v1/keys/me", None, 401, "unauthorized"),
    ("nobody", "PUT", "/v1/keys/me/scopes", {"scopes": []}, 401, "unauthorized"),
    ("nobody", "GET", "/account/usage", None, 401, "unauthorized"),
    ("nobody", "GET", "/v1/security/audit", None, 401, "unauthorized"),
    ("admin", "GET", "/v1/keys/me", None, 401, "unauthorized"),
    ("owner", "PUT", "/v1/keys/me/scopes", {}, 422, "invalid_scopes"),
    ("owner", "PUT", "/v1/keys/me/scopes", {"scopes": None}, 422, "invalid_scopes"),
    ("owner", "PUT", "/v1/keys/me/scopes", {"scopes": "messages:read"}, 422, "invalid_scopes"),
    ("owner", "PUT", "/v1/keys/me/scopes", {"scopes": ["messages:all"]}, 422, "invalid_scope"),
    ("owner", "PUT", "/v1/keys/me/scopes", {"scopes": [1]}, 422, "invalid_scope"),
    ("owner", "GET", "/account/usage", None, 200, ""),
]


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_keys(scene: Scene, row: Row) -> None:
    """Who may, who may not, and what is wrong with what was sent."""
    await scene.check(row)


async def test_a_minted_key(scene: Scene) -> None:
    """Its text and its fields; the label is trimmed and cut to 128 characters, and an actor of that name comes with it."""
    long = f"{uuid4().hex}{'x' * 200}"
    async with httpx.AsyncClient(base_url=scene.url) as client:
        body = (await client.post("/v1/keys", json={"agent_label": f"  {long} "})).json()
    assert set(body) == {
        "key", "key_id", "agent_label", "created_at", "expires_at", "rate_limit", "rate_limit_window_seconds"
    }  # fmt: skip
    key_id, _, secret = body["key"].partition(".")
    assert (key_id, len(key_id), len(secret)) == (body["key_id"], 16, 32)
    assert (body["agent_label"], body["expires_at"]) == (long[:128], None)
    actor = await scene.done("owner", "GET", f"/v1/actors/{long[:128]}")
    assert (actor["owner_id"], actor["created_by_key_id"]) == (long[:128], key_id)


async def test_one_s_own_key(scene: Scene) -> None:
    """owner_id is the label; null scopes are all of them."""
    assert await scene.done("owner", "GET", "/v1/keys/me") == {
        "key_id": scene.names["owner_id"],
        "owner_id": scene.names["owner_label"],
        "plan": "free",
        "active": True,
        "scopes": None,
        "rate_limit": 0,
        "rate_limit_window_seconds": 60,
    }


async def test_ending_a_key(scene: Scene) -> None:
    """It is over at once, and its label is free again."""
    await scene.join("leaver")
    assert await scene.done("leaver", "DELETE", "/v1/keys/me") == {"key_id": scene.names["leaver_id"], "revoked": True}
    await scene.check(("leaver", "GET", "/v1/keys/me", None, 401, "unauthorized"))
    async with httpx.AsyncClient(base_url=scene.url) as client:
        again = await client.post("/v1/keys", json={"agent_label": scene.names["leaver_label"]})
    assert again.status_code == 201


async def test_narrowing_a_key(scene: Scene) -> None:
    """The answer is sorted and without doubles; what is gone stays gone, and is named where it is missed."""
    await scene.join("narrow")
    wanted = {"scopes": ["messages:read", "channels:read", "messages:read"]}
    assert (await scene.done("narrow", "PUT", "/v1/keys/me/scopes", wanted))["scopes"] == ["channels:read", "messages:read"]
    found = await scene.check(("narrow", "PUT", "/v1/keys/me/scopes", {"scopes": ["messages:ack"]}, 403, "insufficient_scope"))
    assert (found["required_scope"], found["granted_scopes"]) == ("messages:ack", ["channels:read", "messages:read"])
    assert (await scene.done("narrow", "PUT", "/v1/keys/me/scopes", {"scopes": []}))["scopes"] == []
    await scene.check(("narrow", "GET", "/v1/channels", None, 403, "insufficient_scope"))
    await scene.check(("narrow", "GET", "/v1/keys/me", None, 200, ""))


@pytest.mark.parametrize("limit", ["", "0", "-3", "501", "1.5", "1e3", "many", "9" * 40])
async def test_the_audit_takes_any_limit(scene: Scene, limit: str) -> None:
    """Taken as 1 to 500; what is no number is ignored."""
    body = await scene.done("owner", "GET", f"/v1/security/audit?limit={limit}")
    assert body["count"] == len(body["data"]) >= 1


async def test_an_audit_entry(scene: Scene) -> None:
    """Who did what to which key, from where; of the caller's own key only."""
    body = await scene.done("stranger", "GET", "/v1/security/audit")
    entry: dict[str, Any] = body["data"][-1]
    mine = scene.names["stranger_id"]
    assert (entry["event_type"], entry["actor_key_id"], entry["subject_key_id"]) == ("key.issue", mine, mine)
    assert set(entry) == {"id", "occurred_at", "actor_key_id", "subject_key_id", "event_type", "remote_addr", "detail"}
    assert entry["remote_addr"] == "127.0.0.1"
    assert all(mine in (each["actor_key_id"], each["subject_key_id"]) for each in body["data"])


async def test_usage(scene: Scene) -> None:
    """The plan and the rate limit; a note says who sets it."""
    body = await scene.done("owner", "GET", "/account/usage")
    assert set(body) == {"key_id", "plan", "rate_limit", "instance_kind", "note"}
    assert (body["rate_limit"]["requests_per_window"], body["rate_limit"]["window_seconds"]) == (0, 60)
    assert (body["plan"], body["instance_kind"]) == ("free", "self-hosted")
