"""SIGKILL of the client itself in mid-wait: its server ends by itself, and the task that comes then is another's."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.mcp_server.processes import ROOT, environment, served

from .conftest import SOON, told

pytestmark = pytest.mark.anyio

CLIENT = """
import asyncio, sys
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

async def told(done, total, message):
    print("waiting", flush=True)

async def main():
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=dict(__import__("os").environ))
    async with Client(stdio_client(command), mode=sys.argv[1]) as client:
        await client.call_tool("claim_task", {"channel": "writers", "wait_seconds": 60}, progress_callback=told)

asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_killed_client_takes_no_task_with_it(home: Path, mode: str) -> None:
    """A task posted as it died is handed out at once, as if it had never waited; the server it had started ends, and has
    nothing to complain of."""
    async with served(home, BACKCHANNEL_AGENT_LABEL="ann") as ann:
        await told(ann, "post_task", channel="writers", content="first")
        first = await told(ann, "claim_task", channel="writers")
        await told(ann, "ack_task", message_id=first["task"]["message_id"], result="x")
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, mode,
            env=environment(home, BACKCHANNEL_AGENT_LABEL="bob"), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert client.stdout is not None
            assert client.stderr is not None
            async with asyncio.timeout(SOON):
                assert await client.stdout.readline() == b"waiting\n"
        finally:
            client.kill()
            await client.wait()
        posted = await told(ann, "post_task", channel="writers", content="x")
        claimed = await told(ann, "claim_task", channel="writers", wait_seconds=20)
        assert claimed["task"]["message_id"] == posted["message_id"]
        assert claimed["task"]["delivery"] == 1
        async with asyncio.timeout(SOON):
            assert b"Traceback" not in await client.stderr.read()  # to its end: nobody has it open any more
