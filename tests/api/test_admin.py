"""Administration over HTTP: behind the admin token, off without one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from api.serving import serving
from bus import Settings
from bus.streams import connect_engine

from .conftest import UNLIMITED, Agent, posted, refused

pytestmark = pytest.mark.anyio

TOKEN = "an admin token, long enough"
ROUTES = (
    ("POST", "/v1/admin/keys"),
    ("GET", "/v1/admin/keys"),
    ("POST", "/v1/admin/keys/bck_nobody/rotate"),
    ("POST", "/v1/admin/keys/bck_nobody/revoke"),
    ("DELETE", "/v1/admin/keys/bck_nobody"),
    ("PUT", "/v1/admin/keys/bck_nobody/scopes"),
    ("POST", "/v1/admin/minting"),
    ("POST", "/v1/admin/channels/nowhere/pause"),
    ("POST", "/v1/admin/channels/nowhere/resume"),
    ("GET", "/v1/admin/audit"),
)


@pytest.fixture(scope="module")
async def governed(data_dir: Path) -> AsyncGenerator[str]:
    """A server with an admin token, on a bus of its own."""
    settings = Settings(
        data_dir=data_dir, prefix="governed:", host="127.0.0.1", port=0, admin_token=SecretStr(TOKEN), **UNLIMITED
    )
    async with serving(settings) as url:
        yield url


@pytest.fixture(autouse=True)
async def unsuspected(governed: str, data_dir: Path) -> None:
    """No test pays for the wrong tokens of another: all come from one address."""
    async with connect_engine(Settings(data_dir=data_dir, prefix="governed:")) as engine:
        await engine.store.command("DEL", engine.keys.address_rate("admin", "127.0.0.1"))


@pytest.fixture
async def admin(governed: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=governed, timeout=30, headers={"X-Admin-Token": TOKEN}) as client:
        yield client


async def minted(admin: httpx.AsyncClient, name: str = "ann") -> dict[str, Any]:
    answer = await admin.post("/v1/admin/keys", json={"agent_label": f"{name}-{uuid4().hex[:8]}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def with_key(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_configured_token_administration_is_off(ann: Agent, method: str, path: str) -> None:
    """Whatever is shown, also an API key: there is nothing that could be right."""
    for headers in ({}, {"X-Admin-Token": ""}, {"X-Admin-Token": TOKEN}):
        refused(await ann.request(method, path, headers=headers, content=b"{"), 403, "admin_disabled")


async def test_a_blank_token_is_none(data_dir: Path) -> None:
    """It would fit every request that shows nothing."""
    for blank in ("", " "):
        settings = Settings(data_dir=data_dir, host="127.0.0.1", port=0, admin_token=SecretStr(blank))
        async with serving(settings) as url, httpx.AsyncClient(base_url=url) as stranger:
            for headers in ({}, {"X-Admin-Token": ""}):
                refused(await stranger.get("/v1/admin/keys", headers=headers), 403, "admin_disabled")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_token_is_unauthorized(governed: str, method: str, path: str) -> None:
    """401 before the body, the key or the channel is looked at; the answer does not repeat what was shown."""
    shown: list[Any] = [{}, {"X-Admin-Token": ""}, {"X-Admin-Token": TOKEN + "x"}, {"X-Admin-Token": TOKEN[:-1]},
                        {"X-Admin-Token": b"\xff\xfe"}, {"X-API-Key": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}]  # fmt: skip
    async with httpx.AsyncClient(base_url=governed) as stranger:
        for headers in shown:
            answer = await stranger.request(method, path, headers=headers, content=b"{not json")
            refused(answer, 401, "admin_unauthorized")
            assert TOKEN[:-1] not in answer.text


async def test_an_administrator_s_key_is_as_any_other(admin: httpx.AsyncClient) -> None:
    """The contract's shape, as POST /v1/keys answers."""
    body = await minted(admin)
    assert set(body) == {
        "key", "key_id", "agent_label", "created_at", "expires_at", "rate_limit", "rate_limit_window_seconds",
    }  # fmt: skip
    me = (await admin.get("/v1/keys/me", headers=with_key(body["key"]))).json()
    assert (me["key_id"], me["owner_id"], me["scopes"]) == (body["key_id"], body["agent_label"], None)
    refused(await admin.post("/v1/admin/keys", json={"agent_label": body["agent_label"]}), 409, "label_in_use")
    assert refused(await admin.post("/v1/admin/keys", json={}), 422, "missing_field")["field"] == "agent_label"


async def test_minting_is_closed_and_opened_while_the_server_runs(admin: httpx.AsyncClient) -> None:
    """/health says how it is now; what is no boolean is the contract's `invalid_field`."""
    assert (await admin.get("/health")).json()["public_minting_enabled"] is True
    try:
        answer = await admin.post("/v1/admin/minting", json={"enabled": False})
        assert (answer.status_code, answer.json()) == (200, {"public_minting_enabled": False})
        assert (await admin.get("/health")).json()["public_minting_enabled"] is False
        refused(await admin.post("/v1/keys", json={"agent_label": uuid4().hex}), 403, "minting_closed")
        await minted(admin)
    finally:
        answer = await admin.post("/v1/admin/minting", json={"enabled": True})
    assert answer.json() == {"public_minting_enabled": True}
    assert (await admin.post("/v1/keys", json={"agent_label": uuid4().hex})).status_code == 201
    for wrong in ({}, {"enabled": None}, {"enabled": "false"}, {"enabled": 0}):
        assert refused(await admin.post("/v1/admin/minting", json=wrong), 422, "invalid_field")["field"] == "enabled"


async def test_keys_are_listed_without_their_secrets(admin: httpx.AsyncClient) -> None:
    """Newest first, a page at a time; the size is clamped."""
    bodies = [await minted(admin) for _ in range(3)]
    first = (await admin.get("/v1/admin/keys", params={"limit": 2})).json()
    assert (len(first["data"]), first["limit"]) == (2, 2)
    second = (await admin.get("/v1/admin/keys", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    shown = [each["key_id"] for each in (*first["data"], *second["data"])]
    assert set(shown[:3]) == {body["key_id"] for body in bodies}
    assert len(set(shown)) == len(shown)
    everything = await admin.get("/v1/admin/keys", params={"limit": 5000})
    assert everything.json()["limit"] == 100
    assert all(body["key"].partition(".")[2] not in everything.text for body in bodies)
    refused(await admin.get("/v1/admin/keys", params={"cursor": "x"}), 422, "invalid_cursor")
    refused(await admin.get("/v1/admin/keys", params={"limit": "x"}), 422, "invalid_limit")


async def test_a_key_is_rotated_with_an_overlap(admin: httpx.AsyncClient) -> None:
    """Both secrets are good until it ends; without one the old secret is over at once."""
    body = await minted(admin)
    path = f"/v1/admin/keys/{body['key_id']}/rotate"
    renewed = (await admin.post(path, json={"overlap_seconds": 3600})).json()
    assert renewed["key_id"] == body["key_id"]
    for key in (body["key"], renewed["key"]):
        assert (await admin.get("/v1/keys/me", headers=with_key(key))).status_code == 200
    last = (await admin.post(path, json={"overlap_seconds": 0})).json()
    for key, status in ((body["key"], 401), (renewed["key"], 401), (last["key"], 200)):
        assert (await admin.get("/v1/keys/me", headers=with_key(key))).status_code == status
    for wrong in (-1, 2_592_001, "1", None):
        refused(await admin.post(path, json={"overlap_seconds": wrong}), 422, "invalid_overlap_seconds")
    refused(await admin.post("/v1/admin/keys/bck_nobody/rotate"), 404, "key_not_found")


@pytest.mark.parametrize(("method", "suffix"), [("POST", "/revoke"), ("DELETE", "")])
async def test_a_key_is_revoked_by_either_name(admin: httpx.AsyncClient, method: str, suffix: str) -> None:
    """POST …/revoke and DELETE are one act; twice is as good as once."""
    body = await minted(admin)
    for _ in range(2):
        answer = await admin.request(method, f"/v1/admin/keys/{body['key_id']}{suffix}")
        assert (answer.status_code, answer.json()["active"]) == (200, False)
    refused(await admin.get("/v1/keys/me", headers=with_key(body["key"])), 401, "unauthorized")
    refused(await admin.request(method, f"/v1/admin/keys/bck_nobody{suffix}"), 404, "key_not_found")


async def test_an_administrator_narrows_and_widens_a_key(admin: httpx.AsyncClient) -> None:
    """The key's holder can only do the first of the two."""
    body = await minted(admin)
    path = f"/v1/admin/keys/{body['key_id']}/scopes"
    answer = await admin.put(path, json={"scopes": ["messages:read"]})
    assert (answer.status_code, answer.json()["scopes"]) == (200, ["messages:read"])
    widened = await admin.put("/v1/keys/me/scopes", headers=with_key(body["key"]), json={"scopes": ["messages:write"]})
    assert refused(widened, 403, "insufficient_scope")["required_scope"] == "messages:write"
    assert (await admin.put(path, json={"scopes": None})).json()["scopes"] is None
    for wrong, code in (({}, "missing_field"), ({"scopes": "all"}, "invalid_scopes"), ({"scopes": ["all"]}, "invalid_scope")):
        refused(await admin.put(path, json=wrong), 422, code)


async def test_a_channel_is_paused_and_resumed(admin: httpx.AsyncClient) -> None:
    """Posting gets 503 with Retry-After meanwhile."""
    key = (await minted(admin))["key"]
    channel = f"work-{uuid4().hex[:8]}"
    async with httpx.AsyncClient(base_url=admin.base_url, headers=with_key(key)) as agent:
        await posted(agent, channel)
        answer = await admin.post(f"/v1/admin/channels/{channel}/pause")
        assert (answer.status_code, answer.json()["paused"], answer.json()["id"]) == (200, True, channel)
        paused = await agent.post("/v1/tasks/post", json={"channel": channel, "content": "x"})
        assert refused(paused, 503, "channel_paused")["retry_after"]
        assert int(paused.headers["Retry-After"]) >= 1
        assert (await admin.post(f"/v1/admin/channels/{channel}/resume")).json()["paused"] is False
        await posted(agent, channel)
    refused(await admin.post(f"/v1/admin/channels/{channel}-none/pause"), 404, "channel_not_found")


async def test_the_audit_trail_says_where_an_act_came_from(admin: httpx.AsyncClient) -> None:
    """Actor, subject, address and what was done; the limit is clamped, and ignored when it is none."""
    body = await minted(admin)
    entries = (await admin.get("/v1/admin/audit", params={"limit": 1})).json()
    assert entries["count"] == 1
    (entry,) = entries["data"]
    assert (entry["event_type"], entry["subject_key_id"], entry["actor_key_id"]) == ("key.issue", body["key_id"], None)
    assert (entry["remote_addr"], entry["detail"]) == ("127.0.0.1", {"agent_label": body["agent_label"], "admin": True})
    for limit in ("0", "-5", "9999", "many", ""):
        answer = await admin.get("/v1/admin/audit", params={"limit": limit})
        assert answer.status_code == 200
        assert answer.json()["count"] == len(answer.json()["data"]) >= 1


async def test_guessing_the_token_comes_to_an_end(governed: str, admin: httpx.AsyncClient) -> None:
    """Ten wrong ones a minute from one address; right ones and none at all do not count. Then the right one waits as
    well, or guessing would go on."""
    for _ in range(12):
        assert (await admin.get("/v1/admin/keys")).status_code == 200
    async with httpx.AsyncClient(base_url=governed) as stranger:
        for _ in range(12):
            refused(await stranger.get("/v1/admin/keys"), 401, "admin_unauthorized")
        for n in range(10):
            refused(await stranger.get("/v1/admin/keys", headers={"X-Admin-Token": f"{n}"}), 401, "admin_unauthorized")
        for token in ("one more", TOKEN):
            answer = await stranger.get("/v1/admin/keys", headers={"X-Admin-Token": token})
            assert 1 <= refused(answer, 429, "rate_limit_exceeded")["retry_after"] <= 6
            assert answer.headers["Retry-After"]


async def test_the_owner_does_not_resume_what_an_administrator_paused(admin: httpx.AsyncClient) -> None:
    """403 in one clear sentence; what it paused itself it may resume."""
    channel, owner = f"c-{uuid4().hex[:8]}", with_key((await minted(admin))["key"])
    made = await admin.post("/v1/channels", headers=owner, json={"name": channel, "mode": "claimable", "access": "open"})
    assert made.status_code == 201, made.text
    path = f"/v1/channels/{channel}"
    for paused in (True, False):
        assert (await admin.patch(path, headers=owner, json={"paused": paused})).json()["paused"] is paused
    await admin.post(f"/v1/admin/channels/{channel}/pause")
    said = refused(await admin.patch(path, headers=owner, json={"paused": False}), 403, "forbidden")
    assert "an administrator paused" in said["message"]
    await admin.post(f"/v1/admin/channels/{channel}/resume")
    assert (await admin.patch(path, headers=owner, json={"paused": False})).json()["paused"] is False
