"""A store that is away when the time of a wait is up: the call has waited as asked, so its answer is none the less no error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from bus import Bus, Settings
from tests.servers import Server, server

from .conftest import Agent, Connect, eventually
from .pairs import pair

pytestmark = pytest.mark.anyio

SECONDS = 2


@pytest.fixture
def store(home: Path) -> Iterator[Server]:
    with server(home) as started:
        yield started


@pytest.fixture
def settings(settings: Settings, store: Server) -> Settings:
    return settings.model_copy(update={"redis_url": store.url})


async def prepared(ann: Agent, bob: Agent) -> dict[str, str]:
    """Tasks of which ann awaits one alone and one as of several, one that bob holds, and a cursor of news."""
    held, one, other = [
        (await ann.call("post_task", channel=channel, content="x"))["message_id"] for channel in ("held", "one", "other")
    ]
    await bob.call("claim_task", channel="held")
    news = (await ann.call("broadcast", channel="news", content="x"))["cursor"]
    return {"held": held, "one": one, "other": other, "news": news}


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_store_that_is_away_at_the_end_of_a_wait_is_no_error(
    agent: Connect, bus: Bus, transport: str, store: Server
) -> None:
    """Each wait ends as it would have, says that the bus is out of reach, and names the same call; its return needs nothing."""
    async with pair(agent, bus, transport, "auto") as (ann, bob):
        given = await prepared(ann, bob)
        held, one, other = (f'"{given[name]}"' for name in ("held", "one", "other"))
        waits: list[tuple[Agent, str, dict[str, Any], str]] = [
            (ann, "await_result", {"message_id": given["one"]}, f"await_result(message_id={one})"),
            (
                ann,
                "await_result",
                {"message_ids": [given["other"]], "need": "any"},
                f'await_result(message_ids=[{other}], need="any")',
            ),
            (ann, "claim_task", {"channel": "held"}, 'claim_task(channel="held")'),
            (
                ann,
                "subscribe",
                {"channel": "news", "since": given["news"]},
                f'subscribe(channel="news", since="{given["news"]}")',
            ),
            (bob, "ask", {"message_id": given["held"], "question": "x?"}, f"ask(message_id={held})"),
        ]
        answers: dict[str, dict[str, Any]] = {}

        async def wait(who: Agent, tool: str, arguments: dict[str, Any], again: str) -> None:
            time = {"timeout_seconds" if tool == "await_result" else "wait_seconds": SECONDS}
            answers[again] = await who.call(tool, **arguments, **time)

        with store.client() as looking:
            async with anyio.create_task_group() as group:
                for each in waits:
                    group.start_soon(wait, *each)
                tasks = [given[name].partition(":")[2] for name in ("held", "one", "other")]
                heard = [*tasks, "{held}:stream", "{news}:stream"]
                await eventually(lambda: all(any(each in name for name in _channels(looking)) for each in heard))
                store.kill()
        for again, answer in answers.items():
            ended = "pending" if again.startswith(("await", "ask")) else "none" if again.startswith("claim") else None
            assert answer.get("status") == ended
            assert answer["note"].startswith("the bus is out of reach just now")
            assert answer["next"].startswith(again)
        store.start()
        await eventually(lambda: _answers(ann, given["one"]))


def _channels(looking: Any) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in looking.pubsub_channels()]


async def _answers(ann: Agent, message_id: str) -> bool:
    answer = await ann.client.call_tool("await_result", {"message_id": message_id, "timeout_seconds": 0})
    return not answer.is_error
