"""Invitations over HTTP: the contract's shapes and statuses, and what only looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest

from api.serving import serving
from bus import Settings
from bus.streams import connect_engine

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _may_look_up(settings: Settings, base_url: str) -> None:
    """All tests come from one address, which has a limit."""
    async with connect_engine(settings) as engine:
        await engine.store.command("DEL", engine.keys.address_rate("invitation", "127.0.0.1"))


async def _invited(owner: Agent, channel: str, **fields: object) -> dict[str, object]:
    made = await owner.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "restricted", **fields})
    assert made.status_code == 201, made.text
    answer = await owner.post(f"/v1/channels/{channel}/invitations", json={})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_invitation_leads_in(ann: Agent, bob: Agent, channel: str) -> None:
    """201 in the contract's shape; presented, 200 with the same, and the channel is open to the bearer."""
    invitation = await _invited(ann, channel, description="for reviewers")
    me = (await ann.get("/v1/keys/me")).json()
    assert invitation == {
        "id": invitation["id"], "owner_id": me["owner_id"], "created_by_key_id": me["key_id"],
        "created_at": invitation["created_at"], "expires_at": invitation["expires_at"], "revoked_at": None, "active": True,
        "channel": {"id": channel, "name": channel, "mode": "claimable", "description": "for reviewers"},
    }  # fmt: skip
    for _ in range(2):
        accepted = await bob.get(f"/v1/channel-invitations/{invitation['id']}")
        assert (accepted.status_code, accepted.json()) == (200, invitation)
        assert accepted.headers["Cache-Control"] == "no-store"
    assert (await bob.get(f"/v1/channels/{channel}")).status_code == 200


async def test_what_only_looks_lets_nobody_in(ann: Agent, bob: Agent, channel: str) -> None:
    """A HEAD, and a GET that says so."""
    invitation = await _invited(ann, channel)
    path = f"/v1/channel-invitations/{invitation['id']}"
    head = await bob.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (await bob.get(path, params={"accept": "false"})).json() == invitation
    refused(await bob.get(path, params={"accept": "perhaps"}), 422, "invalid_accept")
    refused(await bob.get(f"/v1/channels/{channel}"), 403, "channel_access_denied")


async def test_an_invitation_is_taken_back(ann: Agent, bob: Agent, channel: str) -> None:
    """200 with a body, again the same; then 410. Nobody but the owner does that."""
    invitation = await _invited(ann, channel)
    path = f"/v1/channel-invitations/{invitation['id']}"
    refused(await bob.delete(path), 403, "forbidden")
    refused(await bob.post(f"/v1/channels/{channel}/invitations"), 403, "forbidden")
    revoked = await ann.delete(path)
    assert (revoked.status_code, revoked.json()["active"]) == (200, False)
    assert revoked.json()["revoked_at"] is not None
    assert (await ann.delete(path)).json() == revoked.json()
    refused(await bob.get(path), 410, "invitation_revoked")
    refused(await ann.delete(f"{path}x"), 404, "invitation_not_found")


async def test_without_a_key_one_is_told_where_to_get_it(http: httpx.AsyncClient, ann: Agent, channel: str) -> None:
    """401 with `redirect_to`, whether there is such an invitation or not; a wrong key is another matter."""
    invitation = await _invited(ann, channel)
    for invitation_id in (invitation["id"], "no-such-invitation"):
        body = refused(await http.get(f"/v1/channel-invitations/{invitation_id}"), 401, "api_key_required")
        assert body["redirect_to"] == ""
    wrong = {"X-API-Key": "bck_aaaaaaaaaaaa.bbbb"}
    refused(await http.get(f"/v1/channel-invitations/{invitation['id']}", headers=wrong), 401, "unauthorized")
    refused(await ann.get("/v1/channel-invitations/no-such-invitation"), 404, "invitation_not_found")


async def test_an_operator_sends_guests_to_a_page() -> None:
    """BACKCHANNEL_INVITATION_ONBOARDING_URL is what `redirect_to` says."""
    settings = Settings(redis_url="memory://onboarding", port=0, invitation_onboarding_url="https://example.org/join")
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        body = refused(await client.get("/v1/channel-invitations/x"), 401, "api_key_required")
    assert body["redirect_to"] == "https://example.org/join"


@pytest.fixture
async def counted() -> AsyncGenerator[httpx.AsyncClient]:
    """A server that counts requests of an API key."""
    settings = Settings(redis_url="memory://counted", port=0, rate_limit=3, rate_limit_window=3600)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_lookups_have_a_limit_of_their_own(counted: httpx.AsyncClient) -> None:
    """Ten a minute from one address, with a key or without, and none of them counts against the key."""
    issued = await counted.post("/v1/keys", json={"agent_label": "ann"})
    mine = {"X-API-Key": issued.json()["key"]}
    for n in range(10):
        answer = await counted.get("/v1/channel-invitations/x", headers=mine if n % 2 else {})
        assert answer.status_code == (404 if n % 2 else 401)
    for headers in (mine, {}):
        answer = await counted.get("/v1/channel-invitations/x", headers=headers)
        body = refused(answer, 429, "rate_limit_exceeded")
        assert 1 <= body["retry_after"] == int(answer.headers["Retry-After"]) <= 60
    for _ in range(3):
        assert (await counted.get("/v1/keys/me", headers=mine)).status_code == 200
    refused(await counted.get("/v1/keys/me", headers=mine), 429, "rate_limit_exceeded")
