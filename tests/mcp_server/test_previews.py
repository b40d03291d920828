"""Long texts: their beginning, how long they are, and the call that reads on; no answer fills a model's window."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bus import Bus, NewChannel
from mcp_server.previews import PREVIEW_CHARACTERS, WHOLE_BYTES, Preview, piece, share, text_of

from .conftest import Agent, Connect, inside
from .pairs import both_ways, pair
from .test_resources import read

pytestmark = pytest.mark.anyio

LONG = "".join(f"line {number:05}\n" for number in range(4_000))[:40_001]


async def read_whole(agent: Agent, message_id: str, part: str, shown: str = "") -> str:
    """All of a part, read on from what was shown, in pieces; by what each answer says comes next."""
    text = shown
    while True:
        found = await agent.call("get_message", message_id=message_id, part=part, offset=len(text))
        got = inside(found, found["text"])
        assert len(got) <= 16_384
        text += got
        if not found["next"].startswith("get_message("):
            assert found["characters"] == len(text)
            return text
        assert found["next"] == f'get_message(message_id="{message_id}", part="{part}", offset={len(text)}) reads on'


@both_ways
async def test_a_long_task_and_its_long_result_are_read_in_pieces(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """claim_task and await_result show the beginning; get_message reads the rest, nothing lost, nothing twice."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        posted = await ann.call("post_task", channel="writers", content=LONG)
        message_id = posted["message_id"]
        claimed = await bob.call("claim_task", channel="writers")
        task = claimed["task"]
        shown = inside(claimed, task["content"])
        assert (shown, task["content_characters"]) == (LONG[:PREVIEW_CHARACTERS], len(LONG))
        assert claimed["next"].startswith(f'get_message(message_id="{message_id}", part="content", offset=2000) reads on; ')
        assert await read_whole(bob, message_id, "content", shown) == LONG
        await bob.call("ack_task", message_id=message_id, result=LONG.upper())
        done = await ann.call("await_result", message_id=message_id)
        assert (inside(done, done["result"]), done["result_characters"]) == (LONG.upper()[:PREVIEW_CHARACTERS], len(LONG))
        assert done["next"].startswith(f'get_message(message_id="{message_id}", part="result", offset=2000)')
        assert await read_whole(ann, message_id, "result") == LONG.upper()


@both_ways
async def test_a_long_json_result_is_read_as_its_text(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """A list is not cut in the middle and passed off as a shorter one: it is text then, and pieces make the whole."""
    result = [{"n": number, "word": "é\u202e"} for number in range(1_000)]
    async with pair(agent, bus, transport, mode) as (ann, bob):
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result=result)
        done = await ann.call("await_result", message_id=message_id)
        assert inside(done, done["result"]).startswith('[{"n":0,"word":"é\\u202e"},')
        assert done["result_characters"] == len(text_of(result))
        got = ""
        while len(got) < done["result_characters"]:
            found = await ann.call("get_message", message_id=message_id, part="result", offset=len(got), length=5_000)
            got += inside(found, found["text"]).replace("\\u202e", "\u202e")
        assert json.loads(got) == result


async def test_what_just_fits_is_shown_whole(agent: Connect) -> None:
    """16 KiB are no long text; one byte more is."""
    async with agent("ann") as ann:
        for size, cut in ((WHOLE_BYTES, False), (WHOLE_BYTES + 1, True)):
            await ann.call("post_task", channel="writers", content="x" * size)
            task = (await ann.call("claim_task", channel="writers"))["task"]
            assert ("content_characters" in task) is cut


@both_ways
async def test_one_message_is_looked_at_by_tool_and_resource_alike(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Clients without resources miss nothing: the same fields, the same beginnings."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        message_id = (await ann.call("post_task", channel="writers", content=LONG))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("heartbeat", message_id=message_id, progress="half")
        by_tool = await ann.call("get_message", message_id=message_id)
        by_resource = await read(ann.client, f"backchannel://messages/{message_id}")
        assert by_tool.keys() - {"notice"} == by_resource.keys()
        assert inside(by_resource, by_resource["content"]) == inside(by_tool, by_tool["content"]) == LONG[:PREVIEW_CHARACTERS]
        assert by_tool["content_characters"] == len(LONG)
        assert by_tool["next"] == f'get_message(message_id="{message_id}", part="content", offset=2000) reads on'
        assert inside(by_tool, by_tool["holder"]["progress"]["note"]) == "half"
        await bob.call("ack_task", message_id=message_id, result=LONG)
        done = await ann.call("get_message", message_id=message_id)
        assert done["outcome"]["result_characters"] == len(LONG)
        channel = await ann.call("get_channel", channel="writers")
        assert channel.keys() - {"notice"} == (await read(ann.client, "backchannel://channels/writers")).keys()
        assert channel["counts"] == {"total": 1, "done": 1}
        news = (await ann.call("broadcast", channel="news", content="x"))["message_id"]
        assert "await_result" not in (await bob.call("get_message", message_id=news))["next"]
        assert "subscribe" in (await bob.call("get_channel", channel="news"))["next"]


async def test_a_part_that_is_not_there_is_named(agent: Connect) -> None:
    """No result yet, no question: said, instead of an empty text that looks like one. Beyond the end there is nothing."""
    async with agent("ann") as ann:
        message_id = (await ann.call("post_task", channel="writers", content="short", metadata={"n": 1}))["message_id"]
        for part in ("result", "question", "answer"):
            assert f"has no {part}" in await ann.refused("get_message", message_id=message_id, part=part)
        beyond = await ann.call("get_message", message_id=message_id, part="content", offset=99)
        assert (inside(beyond, beyond["text"]), beyond["characters"]) == ("", 5)
        assert beyond["next"] == "that was the end of it"
        metadata = await ann.call("get_message", message_id=message_id, part="metadata")
        assert inside(metadata, metadata["text"]) == '{"n":1}'


async def test_a_result_that_is_withheld_is_not_read_in_pieces_either(agent: Connect, bus: Bus) -> None:
    """What await_result does not show, get_message does not."""
    async with agent("ann") as ann, agent("eve", config_dir=bus.settings.config_dir / "eve") as eve:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        await ann.call("ask", message_id=message_id, question="secret?", wait_seconds=0)
        assert "has no question" in await eve.refused("get_message", message_id=message_id, part="question")
        await ann.call("ack_task", message_id=message_id, result="secret")
        assert "has no result" in await eve.refused("get_message", message_id=message_id, part="result")
        seen = await eve.call("get_message", message_id=message_id)
        assert seen["result_withheld"] is True
        assert "secret" not in json.dumps(seen)


@both_ways
async def test_a_page_of_twenty_stays_readable(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Long messages leave room for short ones, which are shown whole; one alone is shown whole as well."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        for number in range(20):
            content = "x" * 60_000 if number % 2 else f"short {number}"
            await ann.call("broadcast", channel="news", content=content, metadata={"k": "m" * 15_000} if number == 1 else None)
        answer = await bob.client.call_tool("subscribe", {"channel": "news", "limit": 20})
        page: dict[str, Any] = answer.structured_content or {}
        (block,) = answer.content
        assert block.type == "text"
        assert len(block.text) < 24_000
        assert [inside(page, each["content"]) for each in page["messages"][::2]] == [f"short {n}" for n in range(0, 20, 2)]
        longs = page["messages"][1::2]
        assert all(each["content_characters"] == 60_000 for each in longs)
        assert len({len(inside(page, each["content"])) for each in longs}) == 1
        assert (longs[0]["metadata_characters"], "metadata" in longs[0]) == (15_008, False)
        assert page["next"].startswith(
            f'get_message(message_id="{longs[0]["message_id"]}") shows more of a long one; subscribe('
        )
        await ann.call("broadcast", channel="letters", content="y" * 16_000)
        (alone,) = (letters := await bob.call("subscribe", channel="letters"))["messages"]
        assert inside(letters, alone["content"]) == "y" * 16_000


async def test_lists_of_long_things_stay_readable_too(agent: Connect, bus: Bus) -> None:
    """Fifty channels that describe themselves at length, fifty tasks that failed for long reasons or ask long questions."""
    async with agent("ann") as ann, agent("bob") as bob:
        assert ann.session is not None
        caller = (await ann.session.who(bus)).caller
        ids: list[str] = []
        for number in range(50):
            await bus.channels.create(caller, NewChannel(f"c{number}", description="d" * 2_000))
            ids.append((await ann.call("post_task", channel="writers", content=str(number)))["message_id"])
            await bob.call("claim_task", channel="writers")
            if number % 2:
                await bob.call("ack_task", message_id=ids[-1], status="failed", reason="r" * 2_000)
            else:
                await bob.call("ask", message_id=ids[-1], question="q" * 60_000, wait_seconds=0)
        for tool, arguments in (
            ("list_channels", {"limit": 50}),
            ("await_result", {"message_ids": ids}),
            ("subscribe", {"channel": "writers", "limit": 50}),
        ):
            (block,) = (await ann.client.call_tool(tool, arguments)).content
            assert block.type == "text"
            assert len(block.text) < 40_000, tool
        listed = await ann.call("list_channels", limit=50)
        shown = inside(listed, listed["channels"][1]["description"])
        assert shown.endswith("d…")
        whole = await ann.call("get_channel", channel=listed["channels"][1]["channel"])
        assert inside(whole, whole["description"]) == "d" * 2_000


def test_a_body_of_unseen_characters_is_measured_as_it_is_shown() -> None:
    """16,000 tag characters are shown as 160,000: a short text on the bus, a long one to read."""
    tags = "\U000e0041" * 16_000
    assert Preview.of(tags) == Preview(tags[:PREVIEW_CHARACTERS], 16_000)
    assert len(piece(tags, 0, 16_384)) == 4_000
    assert piece(tags, 15_990, 16_384) == tags[:10]
    assert piece("\ud800" * 10, 2, 3) == "\ud800" * 3


def test_short_bodies_leave_their_share_to_long_ones() -> None:
    """What fits together is whole; else the long ones are cut alike, but never to nothing."""
    assert share(["x" * 100, "x" * 200], 1_000) == 1_000
    assert share(["x" * 100, "x" * 5_000], 1_000) == 900
    assert share(["x" * 5_000] * 4, 1_000) == 250
    assert share(["x" * 5_000] * 100, 1_000) == 200
    assert share([], 1_000) == 1_000
