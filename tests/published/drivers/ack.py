"""Acknowledges a task with backchannel_mcp's library, as the README of the MCP server asks its second session to."""

import asyncio
import json
import os

from backchannel_mcp.client import BackchannelClient, resolve_api_key


async def main():
    async with BackchannelClient(api_key=resolve_api_key()) as client:
        print(json.dumps(await client.ack_message(os.environ["TASK"], os.environ["ACTOR"])))


asyncio.run(main())
