"""Channels over HTTP."""

from __future__ import annotations

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def test_a_channel_is_created_once(ann: Agent, bob: Agent, channel: str) -> None:
    """201 for a new one, 200 for the same one whoever asks, 409 when mode or access differ."""
    wanted = {"name": channel, "mode": "claimable", "description": "d", "lease_seconds": 60, "ttl_seconds": 300}
    first = await ann.post("/v1/channels", json=wanted)
    assert first.status_code == 201, first.text
    body = first.json()
    assert (body["id"], body["mode"], body["access"], body["ttl_seconds"]) == (channel, "claimable", "open", 300)
    assert (body["lease_seconds"], body["max_messages"], body["aliases"]) == (60, None, [])
    assert body["created_by_key_id"] == ann.headers["X-API-Key"].partition(".")[0]
    again = await bob.post("/v1/channels", json={"name": channel.upper(), "mode": "claimable"})
    assert (again.status_code, again.json()["created_by_key_id"]) == (200, body["created_by_key_id"])
    refused(await bob.post("/v1/channels", json={"name": channel, "mode": "broadcast"}), 409, "channel_exists")


async def test_a_channel_is_found_by_any_spelling(ann: Agent, channel: str) -> None:
    """One namespace for every key: spaces, case and form do not make another channel."""
    name = f"Ops {channel} É?#&=."
    created = await ann.post("/v1/channels", json={"name": name, "mode": "claimable"})
    assert created.status_code == 201, created.text
    for spelling in (name, created.json()["id"]):
        found = await ann.get(f"/v1/channels/{_quoted(spelling)}")
        assert (found.status_code, found.json()) == (200, created.json())


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


async def test_an_unknown_channel_names_its_neighbours(ann: Agent, channel: str) -> None:
    """Whoever misremembered a name finds it in the error."""
    await posted(ann, channel)
    found = refused(await ann.get(f"/v1/channels/{channel}x"), 404, "channel_not_found")
    assert channel in found["nearest"]
    refused(await ann.post("/v1/tasks/claim", json={"channel": f"{channel}x"}), 404, "channel_not_found")
    refused(await ann.get(f"/v1/channels/{channel}x/messages"), 404, "channel_not_found")


async def test_listing_pages_through_all_channels(ann: Agent, channel: str) -> None:
    """Newest first, limits clamped, and `next_cursor` null at the end."""
    names = [f"{channel}-{n}" for n in range(3)]
    for name in names:
        await posted(ann, name)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await ann.get("/v1/channels", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        assert page["limit"] == 2
        seen += [row["id"] for row in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [name for name in seen if name in names] == names[::-1]
    assert len(seen) == len(set(seen))
    assert [(await ann.get("/v1/channels", params={"limit": n})).json()["limit"] for n in (-5, 1000)] == [1, 100]
    refused(await ann.get("/v1/channels?limit=x"), 422, "invalid_limit")
    refused(await ann.get("/v1/channels?cursor=x"), 422, "invalid_cursor")


async def test_counts_say_where_the_messages_stand(ann: Agent, channel: str) -> None:
    """Waiting, delayed and in flight, with the moment when the next one is free."""
    await posted(ann, channel, "one")
    await posted(ann, channel, "two")
    await posted(ann, channel, "later", delay_seconds=60)
    await claimed(ann, channel)
    counts = (await ann.get(f"/v1/channels/{channel}/counts")).json()
    assert counts["next_available_at"] is not None
    assert {name: counts[name] for name in ("channel_id", "total", "waiting", "delayed", "in_flight", "done", "dead")} == {
        "channel_id": channel, "total": 3, "waiting": 1, "delayed": 1, "in_flight": 1, "done": 0, "dead": 0,
    }  # fmt: skip
    row = next(row for row in (await ann.get("/v1/channels")).json()["data"] if row["id"] == channel)
    assert row["counts"]["in_flight"] == 1
