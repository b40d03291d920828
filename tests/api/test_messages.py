"""Messages over HTTP, as the published clients use them: list, claim by id, ack."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def test_posting_answers_with_the_message_and_its_cursor(ann: Agent, channel: str) -> None:
    """The contract's envelope; content is kept as sent."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    sent: dict[str, Any] = {"content": "  two\nlines \u2713 ", "metadata": {"n": 10**25, "t": "é"}, "actor_label": "me"}
    answer = await ann.post(f"/v1/channels/{channel}/messages", json=sent)
    assert answer.status_code == 201, answer.text
    message = answer.json()["message"]
    assert message["id"].startswith(f"{channel}:")
    assert (message["channel_id"], message["content"], message["metadata"]) == (channel, sent["content"], sent["metadata"])
    assert (message["actor_label"], message["status"], message["state"]) == ("me", "unclaimed", "waiting")
    assert (message["claimed_by"], message["acknowledged_by"], message["mentions"], message["active"]) == (None, [], [], True)
    assert message["created_at"].endswith("+00:00")
    after = (await ann.get(f"/v1/channels/{channel}/messages", params={"cursor": answer.json()["next_cursor"]})).json()
    assert after["data"] == []
    assert after["next_cursor"] == answer.json()["next_cursor"]


async def test_the_published_client_s_cycle_works(ann: Agent, bob: Agent, channel: str) -> None:
    """List, claim by id under an actor's id, ack; the poster sees the acknowledgement in the list."""
    message = await posted(ann, channel)
    actor = (await bob.post("/v1/actors", json={"name": f"w-{channel}"}, headers={"Idempotency-Key": "actor-w"})).json()
    rows = (await bob.get(f"/v1/channels/{channel}/messages", params={"limit": 20})).json()["data"]
    assert [(row["id"], row["status"]) for row in rows] == [(message["id"], "unclaimed")]
    path = f"/v1/messages/{message['id']}"
    claim = await bob.post(f"{path}/claim", json={"actor": actor["id"]})
    assert (claim.status_code, claim.json()["status"]) == (200, "claimed")
    assert claim.json()["message"]["claimed_by"] == {"id": actor["name"], "name": actor["name"]}
    held = refused(await ann.post(f"{path}/claim", json={}), 409, "already_claimed")
    assert (held["holder"], held["lease_expires_at"]) == (actor["name"], claim.json()["lease_expires_at"])
    same = (await bob.post(f"{path}/claim", json={"actor": actor["id"], "metadata": {"pid": 7}})).json()
    assert (same["status"], same["claim_token"]) == ("already_claimed", claim.json()["claim_token"])
    ack = await bob.post(f"{path}/ack", json={"actor": actor["id"], "metadata": {"kept": False}})
    assert (ack.status_code, ack.json()["status"]) == (200, "acknowledged")
    (row,) = (await ann.get(f"/v1/channels/{channel}/messages")).json()["data"]
    assert row["status"] == "acknowledged"
    assert [by["name"] for by in row["acknowledged_by"]] == [actor["name"]]
    for verb in ("ack", "claim"):
        again = await bob.post(f"{path}/{verb}", json={"actor": actor["id"]})
        assert (again.status_code, again.json()["status"]) == (200, "already_acknowledged")
        assert again.json()["message"] == ack.json()["message"]
    other = await bob.post("/v1/actors", json={"name": f"other-{channel}"})
    refused(await bob.post(f"{path}/claim", json={"actor": other.json()["id"]}), 409, "already_finished")
    refused(await ann.post(f"{path}/claim", json={}), 409, "already_finished")


async def test_reading_pages_oldest_first(ann: Agent, channel: str) -> None:
    """Each page's `next_cursor` reads on, an empty page repeats it, and `since` alone says that it is old."""
    ids = [(await posted(ann, channel, str(n)))["id"] for n in range(5)]
    path = f"/v1/channels/{channel}/messages"
    first = await ann.get(path, params={"since": "0", "limit": 3})
    assert [row["id"] for row in first.json()["data"]] == ids[:3]
    assert (first.headers["Deprecation"], first.headers["Sunset"]) == ("true", "2027-01-01")
    second = await ann.get(path, params={"cursor": first.json()["next_cursor"], "limit": 3})
    assert [row["id"] for row in second.json()["data"]] == ids[3:]
    assert "Deprecation" not in second.headers
    same = await ann.post("/v1/tasks/subscribe", json={"channel": channel, "since": 0, "limit": 3})
    assert same.json() == first.json()
    expired = await ann.get(path, params={"cursor": "0", "expiring_before": "2020-01-01T00:00:00Z"})
    assert expired.json()["data"] == []
    unexpired = await ann.get(path, params={"cursor": "0", "expiring_before": "2999-01-01T00:00:00+00:00"})
    assert [row["id"] for row in unexpired.json()["data"]] == ids


async def test_a_status_filters_the_page(ann: Agent, channel: str) -> None:
    """Only waiting ones, or only held ones."""
    await posted(ann, channel)
    other = await posted(ann, channel)
    held = (await claimed(ann, channel))["claimed"]["id"]
    path = f"/v1/channels/{channel}/messages"
    assert [row["id"] for row in (await ann.get(path, params={"status": "claimed"})).json()["data"]] == [held]
    assert [row["id"] for row in (await ann.get(path, params={"status": "unclaimed"})).json()["data"]] == [other["id"]]


async def test_an_ack_on_a_broadcast_is_a_read_receipt(ann: Agent, bob: Agent, channel: str) -> None:
    """Anyone may say that it has read; nobody can claim news."""
    news = (await ann.post("/v1/tasks/broadcast", json={"channel": channel, "content": "news"})).json()
    assert (news["channel_created"], news["message"]["state"]) == (True, None)
    path = f"/v1/messages/{news['message']['id']}"
    refused(await bob.post(f"{path}/claim", json={}), 409, "channel_not_claimable")
    for reader, status in ((ann, "acknowledged"), (bob, "acknowledged"), (bob, "already_acknowledged")):
        answer = await reader.post(f"{path}/ack", json={})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert len((await ann.get(path)).json()["acknowledged_by"]) == 2
    refused(await bob.post(f"{path}/ack", json={"mode": "claimable"}), 409, "channel_not_claimable")
    task = await posted(ann, f"{channel}-work")
    refused(await bob.post(f"/v1/messages/{task['id']}/ack", json={"mode": "broadcast"}), 409, "channel_not_broadcast")


async def test_a_post_says_which_kind_it_means(ann: Agent, channel: str) -> None:
    """Mode-agnostic unless it says otherwise; it creates nothing unless asked to."""
    path = f"/v1/channels/{channel}/messages"
    refused(await ann.post(path, json={"content": "x"}), 404, "channel_not_found")
    made = await ann.post(path, json={"content": "x", "mode": "broadcast", "create": True})
    assert (made.status_code, made.json()["channel_created"]) == (201, True)
    refused(await ann.post(path, json={"content": "x", "mode": "claimable"}), 409, "channel_not_claimable")
    refused(await ann.post("/v1/tasks/post", json={"channel": channel, "content": "x"}), 409, "channel_not_claimable")
    assert (await ann.post(path, json={"content": "x"})).status_code == 201
    found = refused(await ann.post(path, json={"content": "x", "mentions": "bob"}), 422, "invalid_mentions")
    assert found["field"] == "mentions"


async def test_the_same_idempotency_key_for_another_body_is_a_conflict(ann: Agent, channel: str) -> None:
    """One key names one message."""
    send = {"channel": channel, "content": "one"}
    assert (await ann.post("/v1/tasks/post", json=send, headers={"Idempotency-Key": "k"})).status_code == 201
    other = await ann.post("/v1/tasks/post", json=send | {"content": "two"}, headers={"Idempotency-Key": "k"})
    refused(other, 409, "idempotency_conflict")
    refused(await ann.post("/v1/tasks/post", json=send, headers={"Idempotency-Key": "k" * 201}), 422, "invalid_idempotency_key")


async def test_an_actor_belongs_to_its_key(ann: Agent, bob: Agent, channel: str) -> None:
    """Another key cannot act under the name."""
    await posted(ann, channel)
    name = f"solo/{channel}"
    mine = await ann.post("/v1/actors", json={"name": name, "description": "d", "metadata": {"a": 1}})
    assert (mine.status_code, mine.json()["metadata"]) == (201, {"a": 1})
    assert (await ann.post("/v1/actors", json={"name": name})).status_code == 201
    refused(await bob.post("/v1/actors", json={"name": name}), 403, "actor_forbidden")
    refused(await bob.post("/v1/tasks/claim", json={"channel": channel, "actor": name}), 403, "actor_forbidden")
    assert (await bob.get(f"/v1/actors/{name}")).json()["name"] == name
    refused(await bob.get("/v1/actors/nobody-of-this-name"), 404, "actor_not_found")


async def test_what_expires_before_a_moment(ann: Agent, channel: str) -> None:
    """Any ISO 8601 timestamp names the moment, also one whose + became a space on its way; what is none is refused."""
    message = await posted(ann, channel)
    path = f"/v1/channels/{channel}/messages"
    for moment, rows in (
        ("2020-01-01T00:00:00Z", []), ("2999-01-01T00:00:00 00:00", [message["id"]]), ("2999-01-01", [message["id"]]),
        ("2999-01-01 00:00:00", [message["id"]]), (message["expires_at"], []),
    ):  # fmt: skip
        page = (await ann.get(path, params={"expiring_before": moment})).json()
        assert [row["id"] for row in page["data"]] == rows, moment
    for moment in ("", "soon", "2999-13-01T00:00:00Z", "1795361503332"):
        refused(await ann.get(path, params={"expiring_before": moment}), 422, "invalid_expiring_before")


async def test_a_page_is_bounded_and_its_cursor_never_lost(ann: Agent, channel: str) -> None:
    """A bad limit is refused; an empty page echoes the cursor that was sent, and null when none was."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    await ann.post("/v1/channels", json={"name": f"{channel}-news", "mode": "broadcast"})
    for name in (channel, f"{channel}-news"):
        path = f"/v1/channels/{name}/messages"
        for limit in ("0", "101", "-1", "x", "1.5", ""):
            refused(await ann.get(path, params={"limit": limit}), 422, "invalid_limit")
        refused(await ann.get(path, params={"status": "done"}), 422, "invalid_status")
        assert (await ann.get(path)).json() == {"data": [], "limit": 50, "next_cursor": None, "missed": 0}
        for sent in ({"since": "0"}, {"cursor": "0"}, {"since": "2020-01-01T00:00:00Z"}, {"cursor": "0", "since": "17-0"}):
            page = (await ann.get(path, params=sent)).json()
            assert (page["data"], page["next_cursor"] is None) == ([], False), sent
            again = (await ann.get(path, params={"cursor": page["next_cursor"]})).json()
            assert again["next_cursor"] == page["next_cursor"]


async def test_metadata_of_a_claim_and_an_ack_are_an_object(ann: Agent, channel: str) -> None:
    """Clients may send some; they are looked at for their kind alone."""
    path = f"/v1/messages/{(await posted(ann, channel))['id']}"
    for verb in ("claim", "ack", "claim-with-lease"):
        refused(await ann.post(f"{path}/{verb}", json={"metadata": [1]}), 422, "invalid_object")
    assert (await ann.post(f"{path}/claim", json={"metadata": None})).status_code == 200
    done = await ann.post(f"{path}/ack", json={"metadata": {"took": 3}})
    assert (done.status_code, done.json()["message"]["outcome"]["result"]) == (200, None)
