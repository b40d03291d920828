"""The published `backchannel-mcp` over stdio: the demo of its README, its tools, and what its errors say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from .conftest import Agent, a_server, drive, kept_key, open_mcp, said, text

pytestmark = pytest.mark.anyio

TOOLS = {
    "post_task", "broadcast", "claim_task", "subscribe", "await_result", "list_channels", "request_access", "issue_key",
}  # fmt: skip


@pytest.mark.parametrize("homes", [("a", "b"), ("a", "a")], ids=["a key each", "one key"])
async def test_the_readme_s_two_sessions_hand_a_task_over(url: str, home: Path, channel: str, homes: tuple[str, str]) -> None:
    """Post, claim, ack with the same actor's name, await: the whole demo, nothing changed but BACKCHANNEL_BASE_URL."""
    await demonstrate(url, home, channel, homes)
    assert (kept_key(home / homes[0]) == kept_key(home / homes[1])) == (homes[0] == homes[1])


async def demonstrate(url: str, home: Path, channel: str, homes: tuple[str, str]) -> None:
    """The README's demo, in two sessions with these folders of `home` for homes."""
    for name in homes:
        (home / name).mkdir(exist_ok=True)
    async with open_mcp(url, home / homes[0]) as one, open_mcp(url, home / homes[1]) as two:
        posted = await said(one, "post_task", channel=channel, content="build the docs")
        assert posted["channel"] == channel
        assert posted["envelope"]["message"]["id"] == posted["message_id"]
        claim = await said(two, "claim_task", channel=channel, actor=f"session-b-{channel}")
        assert (claim["message"]["id"], claim["message"]["content"]) == (posted["message_id"], "build the docs")
        assert claim["claimed"]["status"] == "claimed"
        awaiting = await one.start_call("await_result", channel=channel, message_id=posted["message_id"], timeout_seconds=30)
        # It has no tool for the ack: the README's step is the library's verb, with the key that the session kept.
        acked = await drive(
            "ack", url, home / homes[1], TASK=posted["message_id"], ACTOR=f"session-b-{channel}",
            BACKCHANNEL_API_KEY=kept_key(home / homes[1]),
        )  # fmt: skip
        assert acked["status"] == "acknowledged"
        told = json.loads((await one.answer(awaiting))["result"]["content"][0]["text"])
        assert told["status"] == "acknowledged"
        assert [by["name"] for by in told["message"]["acknowledged_by"]] == [f"session-b-{channel}"]
        assert (await said(two, "claim_task", channel=channel, actor=f"session-b-{channel}"))["claimed"] is None


async def test_the_demo_works_on_a_server_as_it_comes(home: Path, channel: str) -> None:
    """With the limits that are set when nobody sets any: five keys an hour from one address, 120 requests a minute."""
    defaults = {"BACKCHANNEL_RATE_LIMIT": "", "BACKCHANNEL_KEY_MINT_LIMIT": ""}
    async with a_server(**defaults) as url:
        await demonstrate(url, home, channel, ("a", "b"))
        limited = await drive("limits", url, home)
        # A bucket of 120 that refills at two a second, however long the calls took.
        assert limited["passed"] >= 120
        assert (limited["told"]["status"], limited["told"]["error"]) == (429, "rate_limit_exceeded")
        async with open_mcp(url, home) as session:
            answers = [await text(session, "issue_key", agent_label=f"more-{number}") for number in range(3)]
        assert json.loads(answers[0])["key"].startswith("bck_")
        assert json.loads(answers[1])["agent_label"] == "more-1"
        assert answers[2].startswith("Backchannel error [429 rate_limit_exceeded]: ")


async def test_every_tool_does_its_work(url: str, home: Path, channel: str) -> None:
    """All eight of them, by the names that it lists."""
    async with open_mcp(url, home) as session:
        listed = (await session.answer(await session.send("tools/list")))["result"]["tools"]
        assert {tool["name"] for tool in listed} == TOOLS
        posted = await said(session, "post_task", channel=channel, content="x", metadata={"n": 1}, actor_label="me")
        assert posted["envelope"]["message"]["metadata"] == {"n": 1}
        news = await said(session, "broadcast", channel=f"{channel}-news", content="hello", actor_label="me")
        page = await said(session, "subscribe", channel=f"{channel}-news", limit=10)
        assert [row["id"] for row in page["data"]] == [news["message"]["id"]]
        nothing = await said(session, "subscribe", channel=f"{channel}-news", since=page["next_cursor"])
        assert (nothing["data"], nothing["next_cursor"]) == ([], page["next_cursor"])
        waited = await said(session, "await_result", channel=channel, message_id=posted["message_id"], timeout_seconds=0)
        assert waited == {"status": "timeout", "polled_for_seconds": 0, "message_id": posted["message_id"]}
        assert (await said(session, "claim_task", channel=channel, actor=f"me-{channel}"))["claimed"]["status"] == "claimed"
        shown = await said(session, "list_channels", limit=100)
        assert {channel, f"{channel}-news"} <= {each["name"] for each in shown["data"]}
        assert (await said(session, "request_access", channel=channel, reason="why not"))["status"] == "open"
        issued = await said(session, "issue_key", agent_label=f"co-agent-of-{channel}")
        assert (issued["key"].partition(".")[0], issued["agent_label"]) == (issued["key_id"], f"co-agent-of-{channel}")


async def test_an_error_says_its_code_what_to_do_and_where_it_is_explained(url: str, home: Path, channel: str) -> None:
    """`Backchannel error [status code]: message`, and the address of a page that this server has."""
    async with open_mcp(url, home) as session:
        missing = await text(session, "claim_task", channel=channel, actor="me")
        assert missing.startswith(f"Backchannel error [404 channel_not_found]: there is no channel '{channel}'")
        assert missing.endswith(f"See: {url}/docs/errors.md#channel-not-found")
        bad = await text(session, "post_task", channel="a{b}", content="x")
        assert bad.startswith("Backchannel error [422 invalid_channel_name]: ")
        empty = await text(session, "post_task", channel=channel, content=" ")
        assert empty.startswith("Backchannel error [422 invalid_string]: content must be a non-empty string")
        await said(session, "issue_key", agent_label=f"twin-{channel}")
        twin = await text(session, "issue_key", agent_label=f"twin-{channel}")
        assert twin.startswith("Backchannel error [409 label_in_use]: ")
        unknown = await text(session, "request_access", channel=f"{channel}-nowhere")
        assert unknown.startswith("Backchannel error [404 channel_not_found]: ")
        refused = await session.call("claim_task", channel=channel)
        assert refused["isError"]


async def test_a_revoked_key_is_told_so(url: str, home: Path, agent: object) -> None:
    """Every tool says 401 at once."""
    async with open_mcp(url, home) as session:
        await said(session, "list_channels")
        async with Agent(base_url=url, headers={"X-API-Key": kept_key(home)}) as owner:
            assert (await owner.delete("/v1/keys/me")).status_code == 200
        answer = await text(session, "list_channels")
        assert answer.startswith("Backchannel error [401 unauthorized]: ")


async def test_many_sessions_share_the_work(url: str, home: Path, channel: str) -> None:
    """Ten tasks, four sessions of one user that claim at the same time: each task goes to one of them."""
    async with open_mcp(url, home) as poster:
        for number in range(10):
            await said(poster, "post_task", channel=channel, content=str(number))

        async def work(name: str) -> list[str]:
            async with open_mcp(url, home) as session:
                got: list[str] = []
                while (claim := await said(session, "claim_task", channel=channel, actor=f"{name}-{channel}"))["claimed"]:
                    got.append(claim["message"]["content"])
                return got

        shares = await asyncio.gather(*(work(f"w{number}") for number in range(4)))
    assert sorted(content for share in shares for content in share) == [str(number) for number in range(10)]
