"""The stdio program as a process: how it starts, ends, and behaves while its store is down."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.servers import server

from .conftest import Agent, eventually
from .processes import ROOT, ended, environment, served

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_s_client_works_over_stdio(home: Path, mode: str) -> None:
    """The embedded store needs no server, no setting: the first call starts it."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment(home), cwd=home)
    async with Client(stdio_client(command), mode=mode) as client:
        agent = Agent(client, None)
        message_id = (await agent.call("post_task", channel="writers", content="x"))["message_id"]
        assert (await agent.call("claim_task", channel="writers"))["task"]["message_id"] == message_id
        await agent.call("ack_task", message_id=message_id, result=7)
        assert (await agent.call("await_result", message_id=message_id))["result"] == 7
    assert (home / "config" / "key").stat().st_mode & 0o777 == 0o600


async def test_it_starts_quickly_and_needs_no_store(home: Path) -> None:
    """Clients probe a server with short timeouts: the handshake is answered with nothing but this process."""
    started = time.monotonic()
    async with served(home, BACKCHANNEL_REDIS_URL="redis://127.0.0.1:1/0"):
        took = time.monotonic() - started
    print(f"first answer after {took:.2f} s")
    assert took < 10, "an idle machine needs about 1.5 s; this bound is for a busy one"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_a_server_with_a_wait_in_flight(home: Path, number: signal.Signals) -> None:
    """Ctrl-C works: the open wait is answered with pending, and the process is gone within two seconds."""
    async with served(home) as one:
        posted = (await one.call("post_task", channel="writers", content="x"))["structuredContent"]
        wait = await one.start_call("await_result", message_id=posted["message_id"], timeout_seconds=600)
        with anyio.fail_after(20):
            while not one.progress:
                await one.next()
        one.process.send_signal(number)
        asked = time.monotonic()
        answered = (await one.answer(wait))["result"]
        assert answered["structuredContent"]["status"] == "pending"
        assert await ended(one.process, 5) == 128 + number
        assert time.monotonic() - asked < 2


async def test_the_end_of_input_ends_it(home: Path) -> None:
    """A client that closes its side is done with the server: exit code 0."""
    async with served(home) as one:
        await one.call("list_channels")
        assert one.process.stdin is not None
        await one.process.stdin.aclose()
        assert await ended(one.process, 10) == 0


async def test_a_store_that_is_down_is_an_answer_and_its_return_needs_no_restart(home: Path) -> None:
    """store_unavailable with what to do; the same process goes on when the store is back."""
    (home / "redis").mkdir()
    with server(home / "redis") as redis:
        async with served(home, BACKCHANNEL_REDIS_URL=redis.url) as one:
            assert not (await one.call("post_task", channel="writers", content="x"))["isError"]
            redis.kill()
            down = await one.call("claim_task", channel="writers")
            assert down["isError"] is True
            assert down["content"][0]["text"].startswith("store_unavailable: ")
            assert "Next: " in down["content"][0]["text"]
            redis.start()

            async def claimed() -> bool:
                answer = await one.call("claim_task", channel="writers")
                return not answer["isError"] and answer["structuredContent"]["status"] == "claimed"

            await eventually(claimed)


async def test_a_killed_worker_s_task_goes_to_the_next(home: Path) -> None:
    """SIGKILL mid-task: nobody renews the lease any more, and a waiting worker gets the task when it ends."""
    async with served(home, BACKCHANNEL_AGENT_LABEL="ann") as ann, served(home, BACKCHANNEL_AGENT_LABEL="bob") as bob:
        posted = (await ann.call("post_task", channel="writers", content="x"))["structuredContent"]
        await ann.call("claim_task", channel="writers", lease_seconds=1)
        ann.process.kill()
        await ended(ann.process, 5)
        again = (await bob.call("claim_task", channel="writers", wait_seconds=20))["structuredContent"]
        assert again["task"]["message_id"] == posted["message_id"]
        assert again["task"]["delivery"] == 2


async def test_nothing_but_the_protocol_is_on_the_wire(home: Path) -> None:
    """Garbage from the client is answered, not died of, and the log goes to its file without the secret."""
    async with served(home, BACKCHANNEL_MCP_LOG=str(home / "log")) as one:
        assert one.process.stdin is not None
        await one.process.stdin.send(b"not json\n\xff\xfe\n")
        assert not (await one.call("list_channels"))["isError"]
    log = (home / "log").read_text()
    assert "the API key bck_" in log
    assert (home / "config" / "key").read_text().strip().partition(".")[2] not in log


@pytest.mark.parametrize(
    ("arguments", "more", "code", "says"),
    [
        (["--version"], {}, 0, "backchannel-mcp 1"),
        (["--help"], {}, 0, "BACKCHANNEL_BASE_URL"),
        (["--bogus"], {}, 2, "unrecognized arguments"),
        ([], {"BACKCHANNEL_PORT": "many"}, 2, "BACKCHANNEL_PORT"),
        ([], {"BACKCHANNEL_BASE_URL": "ftp://x"}, 2, "BACKCHANNEL_BASE_URL"),
        ([], {"BACKCHANNEL_REDIS_URL": "mysql://x"}, 2, "redis_url"),
        ([], {"BACKCHANNEL_MCP_LOG": "/nowhere/at/all"}, 2, "BACKCHANNEL_MCP_LOG"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    home: Path, arguments: list[str], more: dict[str, str], code: int, says: str
) -> None:
    """One clear line and exit code 2, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", *arguments],
        env=environment(home, **more), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_keeps_its_promises(home: Path) -> None:
    """Two real servers, a task handed over, a worker killed and its task rescued: exit code 0 says every step held."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server.demo"],
        env=environment(home), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for step in (
        "post_task on writers",
        "Bonjour",
        "killed (SIGKILL)",
        "delivery 2",
        "Au revoir",
        "every step was as promised",
    ):
        assert step in done.stdout, json.dumps(done.stdout)
