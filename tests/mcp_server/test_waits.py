"""How long a call waits that does not say: as long as its client lets it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import Implementation
from pydantic import ValidationError

from bus import Bus, Settings
from mcp_server.server import create_server
from mcp_server.session import Session

from .conftest import Agent, Connect
from .listening import over_http, served
from .processes import environment

pytestmark = pytest.mark.anyio

CLIENTS = [
    ("some-client", 50), ("claude-code", 110), ("codex-mcp-client", 250), ("Codex", 250), ("claude-ai", 50), ("Zed", 50),
]  # fmt: skip
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs these tests, its mark is not theirs."""
    monkeypatch.delenv("CLAUDECODE", raising=False)


async def promised(client: Client, tool: str = "await_result", **arguments: Any) -> float:
    """How long the call says that it waits, in its first progress note; it is cancelled then."""
    told: list[float] = []
    with anyio.fail_after(30), anyio.CancelScope() as scope:

        async def progress(done: float, total: float | None, message: str | None) -> None:
            assert total is not None
            told.append(total)
            scope.cancel()

        await client.call_tool(tool, arguments, progress_callback=progress)
    return told[0]


async def posted(client: Client) -> str:
    return (await Agent(client, None).call("post_task", channel="writers", content="x"))["message_id"]


@MODES
@pytest.mark.parametrize(("name", "seconds"), CLIENTS)
async def test_a_client_is_known_by_its_name(bus: Bus, settings: Settings, name: str, seconds: float, mode: str) -> None:
    """clientInfo says who calls: Claude Code 110 s, Codex 250 s, one of which nothing is known 50 s."""
    info = Implementation(name=name, version="1")
    async with Client(create_server(bus, Session(settings)), mode=mode, client_info=info) as client:
        assert await promised(client, message_id=await posted(client)) == seconds


@MODES
async def test_every_wait_has_that_default_and_what_is_asked_goes_first(bus: Bus, settings: Settings, mode: str) -> None:
    """await_result, claim_task and subscribe alike; up to an hour when asked."""
    info = Implementation(name="claude-code", version="1")
    async with Client(create_server(bus, Session(settings)), mode=mode, client_info=info) as client:
        message_id = await posted(client)
        await Agent(client, None).call("claim_task", channel="writers")
        await Agent(client, None).call("broadcast", channel="news", content="x")
        assert await promised(client, "claim_task", channel="writers") == 110
        assert await promised(client, "subscribe", channel="news", since="2100-01-01") == 110
        assert await promised(client, message_id=message_id, timeout_seconds=3600) == 3600
        assert await promised(client, "claim_task", channel="writers", wait_seconds=7) == 7


async def test_a_process_that_claude_code_started_knows_it(agent: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the mark in its environment, unless the client's name says that it is another one, which inherited the mark."""
    monkeypatch.setenv("CLAUDECODE", "1")
    async with agent("ann") as ann:
        assert await promised(ann.client, message_id=await posted(ann.client)) == 110


async def test_a_named_client_inherits_no_other_one_s_wait(
    bus: Bus, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor started from Claude Code's terminal cuts its calls at 60 s all the same."""
    monkeypatch.setenv("CLAUDECODE", "1")
    info = Implementation(name="Zed", version="1")
    async with Client(create_server(bus, Session(settings)), client_info=info) as client:
        assert await promised(client, message_id=await posted(client)) == 50


async def test_the_operator_decides_for_every_client(agent: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """BACKCHANNEL_WAIT_SECONDS, 0 too; what a call asks for still goes first."""
    monkeypatch.setenv("CLAUDECODE", "1")
    async with agent("ann", wait_seconds=33) as ann:
        message_id = await posted(ann.client)
        assert await promised(ann.client, message_id=message_id) == 33
        assert await promised(ann.client, message_id=message_id, timeout_seconds=44) == 44
    async with agent("ann", wait_seconds=0) as ann:
        assert (await ann.call("claim_task", channel="writers"))["status"] == "claimed"
        assert (await ann.call("claim_task", channel="writers"))["status"] == "none"
    monkeypatch.setenv("BACKCHANNEL_WAIT_SECONDS", "3601")
    with pytest.raises(ValidationError):
        Settings()  # pyright: ignore[reportCallIssue] - every field has a default


@MODES
async def test_over_http_it_is_the_request_that_says_whose_it_is(bus: Bus, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered between requests: in the handshake era the User-Agent tells, and the server's environment never."""
    monkeypatch.setenv("CLAUDECODE", "1")
    api_key = (await bus.credentials.issue("remote")).api_key
    async with served(bus) as url:
        async with over_http(url, api_key, mode, User_Agent="claude-code/2.1.330 (sdk-cli)") as known:
            assert await promised(known.client, message_id=await posted(known.client)) == 110
        async with over_http(url, api_key, mode) as unknown:
            assert await promised(unknown.client, message_id=await posted(unknown.client)) == 50


@MODES
async def test_over_real_stdio_it_is_the_same(home: Path, mode: str) -> None:
    """The process, its client and the environment as a client starts it."""
    for more, seconds in (({"CLAUDECODE": "1"}, 110), ({"BACKCHANNEL_WAIT_SECONDS": "12.5"}, 12.5), ({}, 50)):
        env = environment(home, BACKCHANNEL_AGENT_LABEL="ann", **more)
        command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=env, cwd=home)
        async with Client(stdio_client(command), mode=mode) as client:
            assert await promised(client, message_id=await posted(client)) == seconds
