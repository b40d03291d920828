"""Users of the published clients who meet: by a channel's name, and in a lobby whose owner lets them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from .conftest import Agent, drive, kept_key, open_mcp, said, text

pytestmark = pytest.mark.anyio


async def test_two_users_meet_by_the_channel_s_name(url: str, home: Path, channel: str) -> None:
    """Each with a key of its own, neither with more than the name, however they write it."""
    ann_home, bob_home = home / "ann", home / "bob"
    for folder in (ann_home, bob_home):
        folder.mkdir()
    async with open_mcp(url, ann_home, "ann") as ann, open_mcp(url, bob_home, "bob") as bob:
        there = await said(ann, "post_task", channel=f"Night Shift {channel}", content="look", actor_label="ann")
        claim = await said(bob, "claim_task", channel=f"night-shift-{channel}", actor=f"bob-{channel}")
        assert claim["message"]["id"] == there["message_id"]
        back = await said(bob, "post_task", channel=f"NIGHT-SHIFT-{channel}", content="and you", actor_label="bob")
        claim = await said(ann, "claim_task", channel=there["channel"], actor=f"ann-{channel}")
        assert (claim["message"]["id"], claim["message"]["actor_label"]) == (back["message_id"], "bob")
        await said(ann, "broadcast", channel=f"{channel}-news", content="done")
        assert [row["content"] for row in (await said(bob, "subscribe", channel=f"{channel}-news"))["data"]] == ["done"]
        other_kind = await text(bob, "broadcast", channel=f"night-shift-{channel}", content="x")
        assert '"state": "waiting"' in other_kind  # 409 channel_exists: it posts on what there is, which hands out tasks
    assert kept_key(ann_home) != kept_key(bob_home)


@pytest.mark.parametrize("name", ["Übersetzung", "写作", "emoji \U0001f98a", "C#", "what?", "50%", "a+b & <c>", "n" * 170])
async def test_a_channel_may_have_any_name(url: str, home: Path, channel: str, name: str) -> None:
    """Its client puts the ids that it was given into paths and headers as they are."""
    async with open_mcp(url, home) as session:
        posted = await said(session, "post_task", channel=f"{name} {channel}", content="x")
        got = await said(session, "claim_task", channel=posted["channel"], actor=f"Build Bot {channel}")
        assert got["message"]["id"] == posted["message_id"]
        again = await said(session, "post_task", channel=posted["channel"], content="y")
        assert again["channel"] == posted["channel"]
        task = {"TASK": posted["message_id"], "ACTOR": f"Build Bot {channel}", "BACKCHANNEL_API_KEY": kept_key(home)}
        assert (await drive("ack", url, home, **task))["status"] == "acknowledged"
        told = await said(session, "await_result", channel=posted["channel"], message_id=posted["message_id"])
        assert told["status"] == "acknowledged"


async def test_a_lobby_lets_in_whom_its_owner_approves(
    url: str, home: Path, agent: Callable[[str], Awaitable[Agent]], channel: str
) -> None:
    """It is seen, not read; asking, approving by plain HTTP, then posting and claiming."""
    owner = await agent("owner")
    lobby = {"name": channel, "mode": "claimable", "access": "restricted", "discoverable": True, "description": "by invitation"}
    assert (await owner.post("/v1/channels", json=lobby)).status_code == 201
    async with open_mcp(url, home) as session:
        seen = {each["name"]: each for each in (await said(session, "list_channels", limit=100))["data"]}
        assert (seen[channel]["access"], seen[channel]["is_member"]) == ("restricted", False)
        for tool, arguments in (
            ("post_task", {"content": "x"}), ("claim_task", {"actor": "me"}), ("subscribe", {}),
            ("await_result", {"message_id": f"{channel}:1-1", "timeout_seconds": 0}),
        ):  # fmt: skip
            denied = await text(session, tool, channel=channel, **arguments)
            assert "channel_access_denied" in denied or "channel_exists" in denied, (tool, denied)
        asked = await said(session, "request_access", channel=channel, reason="I review")
        assert asked["status"] == "pending"
        (request,) = (await owner.get(f"/v1/channels/{channel}/access-requests")).json()["data"]
        assert (request["id"], request["reason"]) == (asked["request_id"], "I review")
        approved = await owner.post(f"/v1/channels/{channel}/access-requests/{asked['request_id']}/approve")
        assert (approved.status_code, approved.json()["status"]) == (200, "approved")
        assert (await said(session, "request_access", channel=channel))["status"] == "already_member"
        posted = await said(session, "post_task", channel=channel, content="at last")
        assert (await said(session, "claim_task", channel=channel, actor=f"me-{channel}"))["message"]["id"] == posted[
            "message_id"
        ]
