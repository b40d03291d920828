"""Uses the MCP server as a program on the 1.x Python SDK does; prints what it got.

Arguments: a URL and an API key, or a command.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


@asynccontextmanager
async def connected(first, *rest):
    if first.startswith("http"):
        headers = {"Authorization": f"Bearer {rest[0]}"}
        async with (
            streamablehttp_client(first, headers=headers) as (reading, writing, _),
            ClientSession(reading, writing) as one,
        ):
            yield one
    else:
        command = StdioServerParameters(command=first, args=list(rest), env=dict(os.environ))
        async with stdio_client(command) as (reading, writing), ClientSession(reading, writing) as session:
            yield session


async def main():
    async with connected(*sys.argv[1:]) as session:
        hello = await session.initialize()
        told = []

        async def call(tool, progress=None, **arguments):
            answer = await session.call_tool(tool, arguments, progress_callback=progress)
            assert not answer.isError, answer.content
            assert json.loads(answer.content[0].text) == answer.structuredContent
            return answer.structuredContent

        async def refused(awaitable):
            try:
                await awaitable
            except McpError as error:
                return error.error.code
            raise SystemExit("not refused")

        message_id = (await call("post_task", channel="writers", content="translate"))["message_id"]
        claimed = await call("claim_task", channel="writers")
        begun = asyncio.Event()

        async def progress(done, total, message):
            told.append([done, total, message])
            begun.set()

        async def finish():
            await begun.wait()  # the other side is waiting by now
            return await call("ack_task", message_id=message_id, result={"text": "bonjour"})

        awaited, acked = await asyncio.gather(call("await_result", progress, message_id=message_id), finish())
        error = await session.call_tool("await_result", {"message_id": "writers:1-0"})
        said = {
            "protocol": hello.protocolVersion,
            "instructions": hello.instructions,
            "tools": [tool.name for tool in (await session.list_tools()).tools],
            "claimed": claimed,
            "acked": acked,
            "awaited": awaited,
            "told": told,
            "error": [error.isError, error.content[0].text],
            "prompts": [prompt.name for prompt in (await session.list_prompts()).prompts],
            "prompt": (await session.get_prompt("work", {"channel": "writers"})).messages[0].content.text,
            "no_prompt": await refused(session.get_prompt("nothing", {})),
            "resources": [str(resource.uri) for resource in (await session.list_resources()).resources],
            "resource": json.loads((await session.read_resource("backchannel://channels/writers")).contents[0].text),
            "no_resource": await refused(session.read_resource("backchannel://channels/nothing")),
        }
    print(json.dumps(said))


asyncio.run(main())
