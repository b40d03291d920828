"""API keys over HTTP."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


async def test_a_key_is_issued_to_whoever_asks(http: httpx.AsyncClient) -> None:
    """The contract's shape: 12 and 32 characters, never expiring, not limited."""
    label = f"ann-{uuid4().hex[:8]}"
    answer = await http.post("/v1/keys", json={"agent_label": label})
    body = answer.json()
    assert answer.status_code == 201
    assert body["key"].startswith(body["key_id"] + ".")
    assert (len(body["key_id"]), len(body["key"])) == (len("bck_") + 12, len("bck_") + 12 + 1 + 32)
    assert (body["agent_label"], body["expires_at"], body["rate_limit"]) == (label, None, 0)
    actor = await http.get(f"/v1/actors/{label}", headers={"X-API-Key": body["key"]})
    assert actor.json()["created_by_key_id"] == body["key_id"]


async def test_a_label_is_for_one_active_key(http: httpx.AsyncClient) -> None:
    """The label is free again once its key is revoked."""
    label = f"ann-{uuid4().hex[:8]}"
    first = (await http.post("/v1/keys", json={"agent_label": label})).json()
    refused(await http.post("/v1/keys", json={"agent_label": label}), 409, "label_in_use")
    ended = await http.delete("/v1/keys/me", headers={"X-API-Key": first["key"]})
    assert ended.json() == {"key_id": first["key_id"], "revoked": True}
    refused(await http.get("/v1/keys/me", headers={"X-API-Key": first["key"]}), 401, "unauthorized")
    assert (await http.post("/v1/keys", json={"agent_label": label})).status_code == 201


async def test_a_key_may_come_as_bearer(http: httpx.AsyncClient, ann: Agent) -> None:
    """Clients that know only Authorization use the same key."""
    key = ann.headers["X-API-Key"]
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer {key}"}, {"x-api-key": key}):
        answer = await http.get("/v1/keys/me", headers=headers)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["plan"], answer.json()["active"], answer.json()["scopes"]) == ("free", True, None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "nonsense"},
        {"X-API-Key": "bck_unknown12345.0123456789abcdef0123456789abcdef"},
        {"X-API-Key": "bck_." + "x" * 4000},
        {"X-API-Key": b"bck_\xff\xfe.\xfd"},
        {"Authorization": "Basic YWxhZGRpbjpvcGVuc2VzYW1l"},
        {"Authorization": "Bearer"},
    ],
)
async def test_without_a_good_key_nothing_else_is_looked_at(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """401 before the body is read or the channel looked up; the answer says where a key comes from."""
    for send in (
        {"method": "POST", "url": "/v1/tasks/claim", "content": b"{not json"},
        {"method": "GET", "url": "/v1/channels/nowhere/messages?limit=x"},
        {"method": "POST", "url": "/v1/messages/x/ack", "content": b"[]"},
    ):
        answer = await http.request(**send, headers=headers)
        assert refused(answer, 401, "unauthorized")["message"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_secret_is_never_repeated(http: httpx.AsyncClient) -> None:
    """What was sent as a key is not in the answer."""
    secret = "bck_unknown12345.0123456789abcdef0123456789abcdef"
    assert secret not in (await http.get("/v1/keys/me", headers={"X-API-Key": secret})).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://evil.example", "Host": "evil.example"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_a_foreign_web_page_gets_no_key(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """A page that a user happens to visit must not mint a key on the bus of that machine, nor by rebinding a name."""
    refused(await http.post("/v1/keys", json={"agent_label": uuid4().hex}, headers=headers), 403, "origin_not_allowed")


async def test_a_page_of_this_server_may_get_a_key(http: httpx.AsyncClient) -> None:
    """The server's own pages are not foreign."""
    origin = {"Origin": str(http.base_url).rstrip("/")}
    assert (await http.post("/v1/keys", json={"agent_label": uuid4().hex}, headers=origin)).status_code == 201
