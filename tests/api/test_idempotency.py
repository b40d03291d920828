"""`Idempotency-Key` over HTTP: what is done under one key is done once, whoever serves the repeat."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.app import create_app
from api.idempotency import BY_THE_VERB, NOT_NEEDED, REFUSED, REMEMBERED
from bus import Settings
from bus.credentials import SCOPES

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


def keyed(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


def replayed(answer: httpx.Response, first: httpx.Response) -> None:
    """The same status and bytes, and the header that says that nothing was done."""
    assert (answer.status_code, answer.content) == (first.status_code, first.content)
    assert answer.headers["X-Idempotent-Replay"] == "true"
    assert "X-Idempotent-Replay" not in first.headers


def test_every_operation_says_who_keeps_its_idempotency() -> None:
    """A new operation that changes something is in one of the three tables, and none is in two."""
    paths = create_app(Settings(redis_url="memory://names")).openapi()["paths"]
    changing = {
        operation["operationId"]
        for path in paths.values()
        for method, operation in path.items()
        if method != "get" and {"ApiKeyAuth": []} in operation.get("security", [])
    }
    tables = [BY_THE_VERB, NOT_NEEDED, frozenset(REMEMBERED)]
    assert changing - frozenset().union(*tables) == set()
    assert frozenset().union(*tables) - changing == set()
    assert sum(map(len, tables)) == len(frozenset().union(*tables))
    assert {scope for scope in REMEMBERED.values() if scope} <= SCOPES


def test_openapi_says_how_to_repeat_a_request() -> None:
    """Each operation that changes something takes the header, and says what it may be refused for."""
    paths = create_app(Settings(redis_url="memory://names")).openapi()["paths"]
    for path in paths.values():
        for method, operation in path.items():
            keyed_write = method != "get" and {"ApiKeyAuth": []} in operation.get("security", [])
            named = [each["name"] for each in operation.get("parameters", [])]
            assert named.count("Idempotency-Key") == keyed_write, operation["operationId"]
            if operation["operationId"] in REMEMBERED:
                told = operation["responses"]["409"]["description"] + operation["responses"]["422"]["description"]
                assert all(f"`{code}`" in told for code in REFUSED), operation["operationId"]


async def test_a_repeated_claim_is_answered_as_the_first(ann: Agent, bob: Agent, channel: str) -> None:
    """Whoever lost the answer gets the same task, not the next one; the headers say what happened."""
    for content in ("one", "two"):
        await posted(ann, channel, content)
    first = await bob.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("claim-1"))
    again = await bob.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("claim-1"))
    assert first.json()["claimed"]["content"] == "one"
    replayed(again, first)
    for answer in (first, again):
        assert (answer.headers["Idempotency-Key"], answer.headers["X-Idempotency-Source"]) == ("claim-1", "client")
    other = await bob.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("claim-2"))
    assert other.json()["claimed"]["content"] == "two"


async def test_a_repeated_release_does_not_release_again(ann: Agent, bob: Agent, channel: str) -> None:
    """What was claimed in between stays with who claimed it."""
    await posted(ann, channel)
    claim = await claimed(bob, channel)
    path, body = f"/v1/messages/{claim['claimed']['id']}/release", {"claim_token": claim["claim_token"]}
    first = await bob.post(path, json=body, headers=keyed("r"))
    held = await claimed(bob, channel)
    replayed(await bob.post(path, json=body, headers=keyed("r")), first)
    message = (await bob.get(f"/v1/messages/{claim['claimed']['id']}")).json()
    assert message["claimed_by"] is not None
    assert held["claim_token"] != claim["claim_token"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/tasks/claim", {"channel": "{channel}-b"}), ("/v1/messages/{id}/release", {"channel": "{channel}"})],
    ids=["body", "path"],
)
async def test_a_key_of_another_request_is_refused(ann: Agent, channel: str, path: str, body: dict[str, Any]) -> None:
    """Same key, another body or another path: the caller has mixed something up, and nothing is done."""
    message = await posted(ann, channel)
    taken = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("k"))
    assert taken.status_code == 200
    sent = {name: text.format(channel=channel) for name, text in body.items()}
    answer = await ann.post(path.format(id=message["id"]), json=sent, headers=keyed("k"))
    refused(answer, 409, "idempotency_conflict")
    assert (await ann.get(f"/v1/messages/{message['id']}")).json()["claimed_by"] is not None


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"], ids=["empty", "space", "long", "not-ascii"])
async def test_a_malformed_key_is_refused(ann: Agent, channel: str, key: str) -> None:
    """1 to 200 visible ASCII characters; nothing was done."""
    await posted(ann, channel)
    answer = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    refused(answer, 422, "invalid_idempotency_key")
    assert (await claimed(ann, channel))["claimed"]["content"] == "do it"


async def test_a_key_means_nothing_to_a_reader(ann: Agent, channel: str) -> None:
    """Some clients send one with every request: what only reads shows what is there now."""
    await posted(ann, channel, "one")
    path = f"/v1/channels/{channel}/messages"
    before = await ann.get(path, headers=keyed("n8n-7-GET-/messages"))
    await posted(ann, channel, "two")
    after = await ann.get(path, headers=keyed("n8n-7-GET-/messages"))
    assert (len(before.json()["data"]), len(after.json()["data"])) == (1, 2)
    assert not {"Idempotency-Key", "X-Idempotent-Replay"} & {name.title() for name in after.headers}


async def test_what_needs_no_record_has_none(ann: Agent, channel: str) -> None:
    """Creating a channel again finds it; the key comes back, and nothing says that it was a replay."""
    body = {"name": channel, "mode": "claimable"}
    answers = [await ann.post("/v1/channels", json=body, headers=keyed("a key, as some clients write them")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    for answer in answers:
        assert answer.headers["X-Idempotency-Source"] == "client"
        assert "X-Idempotent-Replay" not in answer.headers


async def test_a_failure_is_not_remembered(ann: Agent, channel: str) -> None:
    """The request may be sent again as it was, once what was in its way is gone."""
    refused(await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("f")), 404, "channel_not_found")
    await posted(ann, channel)
    answer = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("f"))
    assert answer.json()["claimed"]["content"] == "do it"
    assert "X-Idempotent-Replay" not in answer.headers


async def test_that_nothing_was_claimed_is_not_remembered(ann: Agent, channel: str) -> None:
    """It had no effect: the repeat takes the task that came meanwhile, and that is what later repeats are told."""
    task = await posted(ann, channel)
    await claimed(ann, channel)
    first = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("later"))
    assert first.json()["claimed"] is None
    await ann.post(f"/v1/messages/{task['id']}/release", json={})
    second = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("later"))
    assert (second.json()["claimed"] or {}).get("id") == task["id"]
    assert "X-Idempotent-Replay" not in second.headers
    replayed(await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("later")), second)


async def test_a_malformed_request_frees_its_key(ann: Agent, channel: str) -> None:
    """Also when the body is refused before any verb sees it."""
    for content, code in ((b"{", "invalid_json"), (b'{"lease_seconds": "x"}', "invalid_lease_seconds")):
        answer = await ann.post("/v1/tasks/claim", content=content, headers=keyed("m"))
        assert answer.json()["error"] == code
    await posted(ann, channel)
    answer = await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("m"))
    assert answer.json()["claimed"] is not None


async def test_another_api_key_does_not_find_the_answer(ann: Agent, bob: Agent, channel: str) -> None:
    """An idempotency key belongs to the API key that used it."""
    for content in ("one", "two"):
        await posted(ann, channel, content)
    answers = [await agent.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("k")) for agent in (ann, bob)]
    assert [answer.json()["claimed"]["content"] for answer in answers] == ["one", "two"]


async def test_a_replay_is_refused_to_who_lost_the_scope(ann: Agent, channel: str) -> None:
    """What the key may no longer do, it may no longer be told of."""
    await posted(ann, channel)
    body = {"channel": channel}
    assert (await ann.post("/v1/tasks/claim", json=body, headers=keyed("s"))).status_code == 200
    narrowed = await ann.put("/v1/keys/me/scopes", json={"scopes": sorted(SCOPES - {"messages:claim"})})
    assert narrowed.status_code == 200
    answer = refused(await ann.post("/v1/tasks/claim", json=body, headers=keyed("s")), 403, "insufficient_scope")
    assert answer["required_scope"] == "messages:claim"


@pytest.mark.parametrize("by", ["channel", "channels", "message"])
async def test_a_replay_is_refused_to_who_lost_the_channel(ann: Agent, bob: Agent, channel: str, by: str) -> None:
    """A former member is not told what a restricted channel held, whether the request named the channel or a message."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "restricted"})
    bobs = (await bob.get("/v1/keys/me")).json()["key_id"]
    assert (await ann.post(f"/v1/channels/{channel}/members", json={"key_id": bobs})).status_code == 201
    message = await posted(ann, channel)
    body: dict[str, Any] = {"channel": channel} if by == "channel" else {"channels": [channel]}
    path = "/v1/tasks/claim"
    if by == "message":
        path, body = f"/v1/messages/{message['id']}/claim-with-lease", {}
    first = await bob.post(path, json=body, headers=keyed("c"))
    assert first.status_code == 200, first.text
    assert (await ann.delete(f"/v1/channels/{channel}/members/{bobs}")).status_code == 200
    refused(await bob.post(path, json=body, headers=keyed("c")), 403, "channel_access_denied")


async def test_a_replay_is_refused_to_a_revoked_key(ann: Agent, channel: str) -> None:
    """The API key comes first."""
    await posted(ann, channel)
    assert (await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("x"))).status_code == 200
    assert (await ann.delete("/v1/keys/me")).status_code == 200
    refused(await ann.post("/v1/tasks/claim", json={"channel": channel}, headers=keyed("x")), 401, "unauthorized")


async def test_a_deletion_can_be_repeated(ann: Agent, channel: str) -> None:
    """That the channel is gone is what was asked for."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    first = await ann.delete(f"/v1/channels/{channel}", headers=keyed("d"))
    assert (first.status_code, first.content) == (204, b"")
    replayed(await ann.delete(f"/v1/channels/{channel}", headers=keyed("d")), first)
    refused(await ann.delete(f"/v1/channels/{channel}", headers=keyed("e")), 404, "channel_not_found")


async def test_only_a_channel_that_is_acted_on_is_looked_at(ann: Agent) -> None:
    """A session may keep the name of any channel, be there one or not."""
    made = await ann.post("/v1/sessions", json={"name": "s", "channel": "not-there"}, headers=keyed("s"))
    replayed(await ann.post("/v1/sessions", json={"name": "s", "channel": "not-there"}, headers=keyed("s")), made)
    path, state = f"/v1/sessions/{made.json()['id']}", {"channel": "not-there", "channels": ["nor-this"], "message_id": "x:1-0"}
    first = await ann.patch(path, json=state, headers=keyed("p"))
    assert first.json()["state"] == state
    replayed(await ann.patch(path, json=state, headers=keyed("p")), first)


async def test_what_a_deletion_is_sent_with_does_not_matter(ann: Agent, channel: str) -> None:
    """It reads no body; so a repeat trips over none."""
    for n, content in enumerate((b"no JSON", b"[1]", b'{"channel": 5, "message_id": []}', b'{"channel": "somebody-elses"}')):
        name = f"{channel}-{n}"
        await ann.post("/v1/channels", json={"name": name, "mode": "claimable"})
        request = ann.build_request("DELETE", f"/v1/channels/{name}", content=content, headers=keyed(name))
        first = await ann.send(request)
        assert first.status_code == 204, first.text
        again = ann.build_request("DELETE", f"/v1/channels/{name}", content=content, headers=keyed(name))
        replayed(await ann.send(again), first)
