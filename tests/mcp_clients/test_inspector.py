"""The MCP Inspector: it lints the tools for all the clients that are stricter than the protocol, and calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.server import TOOLS
from tests.mcp_server.processes import environment
from tools import mcp_clients

from .conftest import Api, Ended, bus_command, ran, variables

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("from_npm")]
ERAS = pytest.mark.parametrize("era", ["legacy", "modern"])
_LAUNCHER = "@modelcontextprotocol/inspector", "clients", "launcher", "build", "index.js"


async def inspected(home: Path, *arguments: str) -> Ended:
    """What the Inspector says, for a user who has nothing but this home."""
    package, *path = _LAUNCHER
    program = mcp_clients.package(package).joinpath(*path)
    env = mcp_clients.with_node(environment(home, HOME=str(home)))
    return await ran([mcp_clients.node(), program, "--cli", *arguments, "--format", "json"], env, home)


def over_stdio(home: Path) -> list[str]:
    return [*bus_command(), *(part for each in variables(home).items() for part in ("-e", "=".join(each)))]


def over_http(api: Api) -> list[str]:
    header = f"Authorization: Bearer {api.api_key}"
    return ["--server-url", f"{api.url}/mcp", "--transport", "http", "--header", header, "--stored-auth-only"]


def result(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended
    return json.loads(ended.out)["result"]


@ERAS
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_no_client_is_too_strict_for_the_tools(api: Api, home: Path, transport: str, era: str) -> None:
    """`--strict`: exit code 6 would be a schema that some clients refuse. All the tools are listed, over both transports."""
    target = over_stdio(home) if transport == "stdio" else over_http(api)
    ended = await inspected(home, *target, "--method", "tools/list", "--strict", "--protocol-era", era)
    assert {tool["name"] for tool in result(ended)["tools"]} == {tool.name for tool in TOOLS}
    assert "Error: tool" not in ended.err


@ERAS
async def test_a_tool_is_called_over_http(api: Api, home: Path, era: str) -> None:
    """The answer is checked against the tool's output schema by the Inspector's SDK."""
    calling = ["--method", "tools/call", "--tool-name", "post_task", "--protocol-era", era]
    ended = await inspected(home, *over_http(api), *calling, "--tool-args-json", '{"channel": "writers", "content": "x"}')
    assert result(ended)["structuredContent"]["message_id"].startswith("writers:")


async def test_a_refusal_is_an_error_of_the_tool(api: Api, home: Path) -> None:
    """Exit code 5: the tool says what is wrong, the call itself is fine."""
    calling = ["--method", "tools/call", "--tool-name", "await_result", "--tool-arg", "message_id=writers:1-0"]
    ended = await inspected(home, *over_http(api), *calling)
    assert ended.code == 5, ended
    assert "message_not_found" in ended.out + ended.err


async def test_without_a_key_it_is_told_which_header_is_missing(api: Api, home: Path) -> None:
    """Exit code 3: authorization is required; no browser is opened for an OAuth that there is not."""
    ended = await inspected(
        home, "--server-url", f"{api.url}/mcp", "--transport", "http", "--stored-auth-only", "--method", "tools/list"
    )
    assert ended.code == 3, ended
