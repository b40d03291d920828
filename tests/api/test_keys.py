"""API keys over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

from .conftest import Agent, posted, refused

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


async def test_a_key_narrows_itself_for_good(ann: Agent, channel: str) -> None:
    """Fewer scopes at once and from then on; what is no list or no scope has the contract's codes."""
    await posted(ann, channel)
    answer = await ann.put("/v1/keys/me/scopes", json={"scopes": ["messages:read", "messages:claim", "messages:read"]})
    assert answer.status_code == 200
    assert answer.json()["scopes"] == ["messages:claim", "messages:read"]
    assert (await ann.get("/v1/keys/me")).json()["scopes"] == ["messages:claim", "messages:read"]
    found = refused(await ann.post("/v1/tasks/post", json={"channel": channel, "content": "x"}), 403, "insufficient_scope")
    assert found["required_scope"] == "messages:write"
    assert found["granted_scopes"] == ["messages:claim", "messages:read"]
    widened = await ann.put("/v1/keys/me/scopes", json={"scopes": ["messages:read", "messages:write"]})
    assert refused(widened, 403, "insufficient_scope")["required_scope"] == "messages:write"
    for wrong in ({}, {"scopes": None}, {"scopes": "messages:read"}, {"scopes": {}}):
        assert refused(await ann.put("/v1/keys/me/scopes", json=wrong), 422, "invalid_scopes")["field"] == "scopes"
    for unknown in ("all", 1, []):
        answer = await ann.put("/v1/keys/me/scopes", json={"scopes": ["messages:read", unknown]})
        assert refused(answer, 422, "invalid_scope")["field"] == "scopes"
    assert (await ann.put("/v1/keys/me/scopes", json={"scopes": []})).json()["scopes"] == []


async def test_a_key_sees_what_was_done_with_it(ann: Agent, bob: Agent) -> None:
    """Its own acts only, newest first, with the address they came from."""
    await ann.put("/v1/keys/me/scopes", json={"scopes": ["messages:read"]})
    found = (await ann.get("/v1/security/audit")).json()
    assert [each["event_type"] for each in found["data"]] == ["key.scopes", "key.issue"]
    assert found["count"] == 2
    key_id = ann.headers["X-API-Key"].partition(".")[0]
    assert {each["actor_key_id"] for each in found["data"]} == {each["subject_key_id"] for each in found["data"]} == {key_id}
    assert {each["remote_addr"] for each in found["data"]} == {"127.0.0.1"}
    assert ann.headers["X-API-Key"].partition(".")[2] not in str(found)
    assert [each["event_type"] for each in (await bob.get("/v1/security/audit")).json()["data"]] == ["key.issue"]
    for limit, count in (("1", 1), ("0", 1), ("-3", 1), ("501", 2), ("many", 2), ("1.5", 2), ("9" * 5000, 2)):
        assert (await ann.get("/v1/security/audit", params={"limit": limit})).json()["count"] == count, limit


@pytest.fixture
async def limited(data_dir: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a server with narrow limits, on a bus of its own; its two keys are all that its address gets."""
    settings = Settings(
        data_dir=data_dir, prefix=f"limited-{uuid4().hex[:8]}:", host="127.0.0.1", port=0,
        rate_limit=3, rate_limit_window=60, key_mint_limit=2, key_mint_window=3600,
    )  # fmt: skip
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        issued = await client.post("/v1/keys", json={"agent_label": "ann"})
        assert (issued.json()["rate_limit"], issued.json()["rate_limit_window_seconds"]) == (3, 60)
        client.headers["X-API-Key"] = issued.json()["key"]
        yield client


async def test_a_key_over_its_limit_is_told_when_to_come_back(limited: httpx.AsyncClient) -> None:
    """429 with Retry-After and `retry_after` the same; whatever the request would have been answered otherwise."""
    me = await limited.get("/v1/keys/me")
    assert (me.json()["rate_limit"], me.json()["rate_limit_window_seconds"]) == (3, 60)
    used = (await limited.get("/account/usage")).json()
    assert used["rate_limit"] == {"requests_per_window": 3, "window_seconds": 60, "remaining": 1}
    assert (used["plan"], used["instance_kind"]) == ("free", "self-hosted")
    refused(await limited.post("/v1/tasks/post", content=b"{not json"), 400, "invalid_json")  # a bad request counts too
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    claim = await limited.post("/v1/tasks/claim", content=b"{")
    for answer in (await limited.get("/v1/keys/me"), claim, await limited.post("/mcp", json=call)):
        wait = refused(answer, 429, "rate_limit_exceeded")["retry_after"]
        assert 1 <= wait <= 20
        assert answer.headers["Retry-After"] == str(wait)
    wrong = limited.headers["X-API-Key"][:-1] + ("A" if limited.headers["X-API-Key"][-1] != "A" else "B")
    refused(await limited.get("/v1/keys/me", headers={"X-API-Key": wrong}), 401, "unauthorized")
    assert (await limited.get("/health")).status_code == 200


async def test_an_address_gets_so_many_keys(limited: httpx.AsyncClient) -> None:
    """Counted before the label is looked at; no key of its own is asked for, so none is counted."""
    assert refused(await limited.post("/v1/keys", json={}), 422, "missing_field")["field"] == "agent_label"
    answer = await limited.post("/v1/keys", json={"agent_label": "bob"})
    assert 1 <= refused(answer, 429, "rate_limit_exceeded")["retry_after"] <= 1800
    assert int(answer.headers["Retry-After"]) > 60


async def test_a_request_counts_once_whatever_becomes_of_it(limited: httpx.AsyncClient, channel: str) -> None:
    """Done, replayed, or refused for what it holds: one request each."""
    once = {"Idempotency-Key": "make-it"}
    found = [
        await limited.post("/v1/sessions", json={"name": "notes"}, headers=once),
        await limited.post("/v1/sessions", json={"name": "notes"}, headers=once),
        await limited.get(f"/v1/channels/{channel}/messages?limit=many"),
    ]
    assert [(each.status_code, each.headers["X-RateLimit-Remaining"]) for each in found[:2]] == [(201, "2"), (201, "1")]
    assert found[1].headers["X-Idempotent-Replay"] == "true"
    refused(found[2], 422, "invalid_limit")
    refused(await limited.get("/v1/keys/me"), 429, "rate_limit_exceeded")
