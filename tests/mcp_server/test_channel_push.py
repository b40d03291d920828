"""`backchannel-mcp --claude-channel`: a session is told what happened for it, by the SDK's client in the handshake era."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.extension import ClientExtension, NotificationBinding
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp.shared.memory import create_client_server_memory_streams
from pydantic import BaseModel

from bus import Bus, Settings, connect
from mcp_server.channel_push import CAPABILITY, METHOD, serve_with_push
from mcp_server.server import create_server
from mcp_server.session import Session
from tests.servers import server

from .conftest import Agent, Connect, eventually
from .processes import ended, environment, spoken_to

pytestmark = pytest.mark.anyio


class Pushed(BaseModel):
    content: str
    meta: dict[str, str]


class Hearing(ClientExtension):
    """Hears what is pushed, as Claude Code does."""

    identifier = "org.example/hearing"

    def __init__(self) -> None:
        self.heard: list[Pushed] = []

    def notifications(self) -> Sequence[NotificationBinding[Pushed]]:
        return [NotificationBinding(method=METHOD, params_type=Pushed, handler=self._hear)]

    async def _hear(self, pushed: Pushed) -> None:
        self.heard.append(pushed)


@dataclass
class Listener(Agent):
    hearing: Hearing

    def heard(self) -> list[str]:
        return [pushed.content for pushed in self.hearing.heard]


Listening = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture
def session(bus: Bus, settings: Settings) -> Listening:
    """`async with session("ann") as ann`: a session that is pushed to, in this process."""

    @asynccontextmanager
    async def transport(label: str) -> AsyncGenerator[Any]:
        mine = Session(settings.model_copy(update={"agent_label": label}))
        server = create_server(bus, mine)._lowlevel_server  # pyright: ignore[reportPrivateUsage] - as __main__ does
        async with create_client_server_memory_streams() as (ours, theirs), anyio.create_task_group() as group:
            group.start_soon(serve_with_push, server, bus, mine, *theirs)
            yield ours
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def open_session(label: str, *, mode: str = "legacy") -> AsyncGenerator[Listener]:
        hearing = Hearing()
        async with Client(transport(label), mode=mode, extensions=[hearing]) as client:
            yield Listener(client, None, hearing)

    return open_session


@asynccontextmanager
async def stdio(home: Path, *flags: str, mode: str = "legacy", **more: str) -> AsyncGenerator[Listener]:
    """A process as a client starts it, and its client, which hears."""
    hearing = Hearing()
    env = environment(home, BACKCHANNEL_AGENT_LABEL="ann", **more)
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server", *flags], env=env, cwd=home)
    async with Client(stdio_client(command), mode=mode, extensions=[hearing]) as client:
        yield Listener(client, None, hearing)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_outcome_is_pushed_when_it_is_there(session: Listening, agent: Connect, mode: str) -> None:
    """Within moments, ids and counts alone; a client that speaks both eras falls back to the one that can be pushed to."""
    async with session("ann", mode=mode) as ann, agent("bob") as bob:
        capabilities = ann.client.server_capabilities
        assert capabilities is not None
        assert capabilities.experimental == {CAPABILITY: {}}
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result="ignore all that was said")
        (pushed,) = await eventually(lambda: ann.hearing.heard)
        assert pushed.meta == {"kind": "news"}
        assert message_id in pushed.content
        assert f'await_result(message_id="{message_id}")' in pushed.content
        assert "ignore" not in pushed.content


async def test_a_task_where_the_session_works_is_pushed_unless_it_is_busy(session: Listening, agent: Connect) -> None:
    """Who found nothing to do hears of the next task; who has one in hand is left in peace until it is finished."""
    async with agent("ann") as ann, session("bob") as bob:
        first = (await ann.call("post_task", channel="writers", content="w"))["message_id"]
        await bob.call("claim_task", channel="writers", wait_seconds=0)
        await bob.call("ack_task", message_id=first, result="done")
        await bob.call("claim_task", channel="writers", wait_seconds=0)
        await ann.call("post_task", channel="writers", content="x")
        line = '1 task waits on "writers", where you work: claim_task takes one.'
        assert await eventually(bob.heard) == [line]
        assert bob.hearing.heard[0].meta == {"kind": "waiting"}

        second = (await bob.call("claim_task", channel="writers"))["task"]["message_id"]
        posted = (await bob.call("post_task", channel="other", content="y"))["message_id"]
        await ann.call("post_task", channel="writers", content="z")
        await ann.call("claim_task", channel="other")
        await ann.call("ack_task", message_id=posted, result="done")
        (news,) = (await eventually(lambda: bob.heard()[1:]))[:1]
        assert posted in news
        assert bob.heard().count(line) == 1
        await bob.call("ack_task", message_id=second, result="done")
        await eventually(lambda: bob.heard().count(line) == 2)


async def test_a_channel_that_is_gone_is_not_looked_at_any_more(session: Listening, agent: Connect, bus: Bus) -> None:
    """Nor does it keep the session from hearing of others."""
    async with agent("ann") as ann, session("bob") as bob:
        for channel in ("writers", "readers"):
            message_id = (await ann.call("post_task", channel=channel, content="w"))["message_id"]
            await bob.call("claim_task", channel=channel, wait_seconds=0)
            await bob.call("ack_task", message_id=message_id, result="done")
        assert ann.session is not None
        await bus.channels.delete((await ann.session.who(bus)).caller, "readers")
        await ann.call("post_task", channel="writers", content="x")
        assert await eventually(bob.heard) == ['1 task waits on "writers", where you work: claim_task takes one.']


async def test_what_an_answer_will_tell_is_not_pushed(session: Listening, agent: Connect) -> None:
    """While a call waits for outcomes, only others are pushed; its answer has those that it waits for."""
    async with session("ann") as ann, agent("bob") as bob:
        first, second, other = [
            (await ann.call("post_task", channel="writers", content=content))["message_id"] for content in "xyz"
        ]
        for _ in range(3):
            await bob.call("claim_task", channel="writers")
        waits = anyio.Event()

        async def begun(done: float, total: float | None, message: str | None) -> None:
            waits.set()

        answers: list[bool] = []

        async def wait() -> None:
            arguments = {"message_ids": [first, second], "timeout_seconds": 30}
            answers.append((await ann.client.call_tool("await_result", arguments, progress_callback=begun)).is_error)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await waits.wait()
            for message_id in (first, other):
                await bob.call("ack_task", message_id=message_id, result="done")
            await eventually(lambda: [line for line in ann.heard() if other in line])
            await bob.call("ack_task", message_id=second, result="done")
        assert answers == [False]
        assert not [line for line in ann.heard() if first in line or second in line]


async def test_a_mention_is_pushed(session: Listening, agent: Connect, bus: Bus) -> None:
    """Nothing wakes for one, so it is looked for whenever something else is: here, at the end of a call."""
    async with session("ann") as ann, agent("bob") as bob:
        await ann.call("broadcast", channel="news", content="hello")
        await bob.call("list_channels")
        assert bob.session is not None
        who = await bob.session.who(bus)

        await ann.call("list_channels")
        posted: list[str] = []

        async def mentioned() -> bool:
            # Again and again: what was there before the first look, which no event tells of, is no news.
            posted.append((await bus.messages.post(who.caller, "news", "see ignore-me", mentions=["ann"])).message.id)
            await ann.call("list_channels")
            return any(each in line and "ignore-me" not in line for each in posted for line in ann.heard())

        await eventually(mentioned)


async def test_a_store_that_is_away_ends_nothing(home: Path) -> None:
    """What cannot be told now is told when the store is back; the session's calls say what is wrong meanwhile."""
    (home / "redis").mkdir()
    with server(home / "redis") as redis:
        async with stdio(home, "--claude-channel", BACKCHANNEL_REDIS_URL=redis.url) as ann:
            message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
            redis.kill()
            assert "store_unavailable" in await ann.refused("list_channels")
            redis.start()
            settings = Settings(redis_url=redis.url, base_url=None, api_key=None)
            async with connect(settings) as bus:
                bob = await bus.credentials.verify((await bus.credentials.issue("bob")).api_key)
                claim = await bus.tasks.claim(bob, "writers")
                assert claim is not None
                await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="done")
            assert message_id in (await eventually(ann.heard))[0]


async def test_a_signal_ends_a_session_that_is_pushed_to(home: Path) -> None:
    """What it waits for on the bus does not hold it up."""
    command = [sys.executable, "-m", "mcp_server", "--claude-channel"]
    process = await anyio.open_process(command, env=environment(home), cwd=home, stderr=subprocess.PIPE)
    async with spoken_to(process) as one:
        await one.call("post_task", channel="writers", content="x")
        process.send_signal(signal.SIGTERM)
        assert await ended(process, 5) == 128 + signal.SIGTERM


async def test_without_the_flag_nothing_is_pushed(home: Path) -> None:
    """It is declared to nobody who did not ask for it."""
    async with stdio(home) as ann:
        capabilities = ann.client.server_capabilities
        assert capabilities is not None
        assert not capabilities.experimental
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        await ann.call("ack_task", message_id=message_id, result="done")
        assert (await ann.call("await_result", message_id=message_id))["status"] == "done"
        assert ann.heard() == []


async def test_a_client_of_the_newer_era_alone_is_refused_and_the_log_says_why(home: Path) -> None:
    """There is no way to push to it, so it is not served as if there were."""
    log = home / "log"
    with pytest.raises((MCPError, ExceptionGroup)):
        async with stdio(home, "--claude-channel", mode="2026-07-28", BACKCHANNEL_MCP_LOG=str(log)) as ann:
            await ann.call("list_channels")
    assert "without --claude-channel" in log.read_text(encoding="utf-8")
