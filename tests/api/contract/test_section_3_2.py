"""Section 3.2, administration: the admin token and nothing else opens it."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

from .conftest import Row, Scene, named

pytestmark = pytest.mark.anyio

ROUTES = [
    ("POST", "/v1/admin/keys", {"agent_label": "x"}),
    ("POST", "/v1/admin/minting", {"enabled": True}),
    ("POST", "/v1/admin/channels/<open>/pause", None),
    ("POST", "/v1/admin/channels/<open>/resume", None),
    ("GET", "/v1/admin/keys", None),
    ("GET", "/v1/admin/audit", None),
    ("POST", "/v1/admin/keys/<owner_id>/rotate", {}),
    ("POST", "/v1/admin/keys/<owner_id>/revoke", None),
    ("PUT", "/v1/admin/keys/<owner_id>/scopes", {"scopes": None}),
]
REFUSED: list[Row] = [
    (who, method, path, body, 401, "admin_unauthorized") for who in ("nobody", "owner") for method, path, body in ROUTES
]
ROWS: list[Row] = [
    ("admin", "POST", "/v1/admin/keys", {}, 422, "missing_field"),
    ("admin", "POST", "/v1/admin/keys", {"agent_label": "<owner_label>"}, 409, "label_in_use"),
    ("admin", "POST", "/v1/admin/minting", {}, 422, "invalid_field"),
    ("admin", "POST", "/v1/admin/minting", {"enabled": "yes"}, 422, "invalid_field"),
    ("admin", "POST", "/v1/admin/minting", {"enabled": 1}, 422, "invalid_field"),
    ("admin", "POST", "/v1/admin/minting", {"enabled": None}, 422, "invalid_field"),
    ("admin", "POST", "/v1/admin/channels/no-such/pause", None, 404, "channel_not_found"),
    ("admin", "POST", "/v1/admin/channels/no-such/resume", None, 404, "channel_not_found"),
    ("admin", "POST", "/v1/admin/channels/a%7Bb%7D/pause", None, 422, "invalid_channel_name"),
    ("admin", "POST", "/v1/admin/keys/bck_unknown/rotate", {}, 404, "key_not_found"),
    ("admin", "POST", "/v1/admin/keys/bck_unknown/revoke", None, 404, "key_not_found"),
    ("admin", "PUT", "/v1/admin/keys/bck_unknown/scopes", {"scopes": None}, 404, "key_not_found"),
    ("admin", "PUT", "/v1/admin/keys/<owner_id>/scopes", {}, 422, "missing_field"),
    ("admin", "PUT", "/v1/admin/keys/<owner_id>/scopes", {"scopes": ["all"]}, 422, "invalid_scope"),
    ("admin", "GET", "/v1/admin/keys?limit=0", None, 200, ""),
    ("admin", "GET", "/v1/admin/keys?limit=101", None, 200, ""),
    ("admin", "GET", "/v1/admin/keys?cursor=there", None, 422, "invalid_cursor"),
    ("admin", "GET", "/v1/admin/audit?limit=many", None, 200, ""),
]


@pytest.mark.parametrize("row", [*REFUSED, *ROWS], ids=named)
async def test_administration(scene: Scene, row: Row) -> None:
    """An API key opens nothing here; a wrong token is no better than none."""
    await scene.check(row)


@pytest.mark.parametrize("token", ["", "wrong", "é"])
async def test_a_wrong_token(scene: Scene, token: str) -> None:
    """Whatever was sent as the token."""
    async with httpx.AsyncClient(base_url=scene.url) as client:
        answer = await client.get("/v1/admin/keys", headers={"X-Admin-Token": token.encode()})
    assert (answer.status_code, answer.json()["error"]) == (401, "admin_unauthorized")


async def test_without_a_configured_token_there_is_no_administration() -> None:
    """403, also for who sends an empty token: an unset token is not the empty one."""
    settings = Settings(redis_url="memory://no-admin", host="127.0.0.1", port=0)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        for headers in ({}, {"X-Admin-Token": ""}, {"X-Admin-Token": "x"}):
            answer = await client.post("/v1/admin/minting", json={"enabled": True}, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "admin_disabled")


@pytest.mark.parametrize("name", ["<open>", "<open_alias>"])
async def test_pausing(scene: Scene, name: str) -> None:
    """By id or alias. Posting is 503 with retry_after; reading goes on; resuming ends it."""
    assert (await scene.done("admin", "POST", f"/v1/admin/channels/{name}/pause"))["paused"] is True
    found = await scene.check(("owner", "POST", "/v1/channels/<open>/messages", {"content": "x"}, 503, "channel_paused"))
    assert found["retry_after"] == 30
    await scene.check(("owner", "GET", "/v1/channels/<open>/messages", None, 200, ""))
    assert (await scene.done("admin", "POST", f"/v1/admin/channels/{name}/resume"))["paused"] is False


async def test_minting_closed(scene: Scene) -> None:
    """Nobody gets a key by themselves, the administrator still gives one, and /health says so."""
    closed = {"public_minting_enabled": False}
    assert await scene.done("admin", "POST", "/v1/admin/minting", {"enabled": False}) == closed
    try:
        await scene.check(("nobody", "POST", "/v1/keys", {"agent_label": "late"}, 403, "minting_closed"))
        async with httpx.AsyncClient(base_url=scene.url) as client:
            assert (await client.get("/health")).json()["public_minting_enabled"] is False
            answer = await client.post("/v1/admin/keys", json={"agent_label": uuid4().hex}, headers=scene.who["admin"].headers)
        assert answer.status_code == 201
        assert {"key", "key_id", "expires_at", "rate_limit"} <= set(answer.json())
    finally:
        await scene.done("admin", "POST", "/v1/admin/minting", {"enabled": True})


async def test_the_list_of_keys_ends(scene: Scene) -> None:
    """Page by page every key once, without secrets, also those that were made in one millisecond."""
    cursor, seen = "", list[str]()
    while cursor is not None:
        page = await scene.done("admin", "GET", f"/v1/admin/keys?limit=1&cursor={cursor}")
        seen += [each["key_id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen))
    assert {scene.names["owner_id"], scene.names["member_id"]} <= set(seen)
