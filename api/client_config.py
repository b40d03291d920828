"""`backchannel config`: what a client's configuration needs to find the bus, ready to be put into its file."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import tomlkit
import typer

NAME: Final = "backchannel"
COMMAND: Final = "backchannel-mcp"
KEY_VARIABLE: Final = "BACKCHANNEL_API_KEY"
_LOCAL: Final = "http://127.0.0.1:8080"
_CODEX_TOOL_SECONDS: Final = 300
"""Codex cuts a call after 60 s unless told otherwise; this is what its newest versions allow by themselves."""


class Client(StrEnum):
    """Who is to be configured; `json`: any other client that reads `mcpServers` and replaces `${VAR}`."""

    CLAUDE = "claude"
    CURSOR = "cursor"
    ZED = "zed"
    VSCODE = "vscode"
    CODEX = "codex"
    JSON = "json"


class Transport(StrEnum):
    """How the client reaches the tools: a process of its own, or the endpoint of a server."""

    STDIO = "stdio"
    HTTP = "http"


FILES: Final = {
    Client.CLAUDE: ".mcp.json",
    Client.CURSOR: ".cursor/mcp.json or ~/.cursor/mcp.json",
    Client.ZED: "Zed's settings.json",
    Client.VSCODE: ".vscode/mcp.json",
    Client.CODEX: "~/.codex/config.toml",
    Client.JSON: "the client's MCP configuration",
}
"""Where the snippet of each client goes."""
_TABLES: Final = {Client.ZED: "context_servers", Client.VSCODE: "servers", Client.CODEX: "mcp_servers"}
_VARIABLES: Final = {
    Client.CLAUDE: f"${{{KEY_VARIABLE}}}",
    Client.CURSOR: f"${{env:{KEY_VARIABLE}}}",
    Client.VSCODE: "${input:backchannel-api-key}",
    Client.JSON: f"${{{KEY_VARIABLE}}}",
}


def snippet(client: Client, transport: Transport, url: str | None = None) -> dict[str, Any]:
    """The client's configuration as a tree; it names where the API key is to be found, and never holds one.

    `url`: address of a Backchannel server, with or without `/mcp`. None: over stdio the bus of this user on this machine,
    over HTTP the server on this machine's port 8080.
    Raises ValueError for a URL that is none, or holds a secret, and for Zed over HTTP, which would need the key itself.
    """
    base = _base(url) if url else None
    server = _process(base) if transport is Transport.STDIO else _endpoint(client, f"{base or _LOCAL}/mcp")
    if client in (Client.CLAUDE, Client.VSCODE, Client.JSON):
        server = {"type": transport.value, **server}
    if client is Client.CODEX:
        if transport is Transport.STDIO:
            server["env_vars"] = [KEY_VARIABLE]  # Codex hands on no variable that is not named
        server["tool_timeout_sec"] = _CODEX_TOOL_SECONDS
    tree: dict[str, Any] = {_TABLES.get(client, "mcpServers"): {NAME: server}}
    if client is Client.VSCODE and transport is Transport.HTTP:
        asked = {
            "type": "promptString",
            "id": "backchannel-api-key",
            "description": "API key of the Backchannel server",
            "password": True,
        }
        tree = {"inputs": [asked], **tree}
    return tree


def _process(base: str | None) -> dict[str, Any]:
    return {"command": COMMAND, "args": [], "env": {"BACKCHANNEL_BASE_URL": base} if base else {}}


def _endpoint(client: Client, url: str) -> dict[str, Any]:
    if client is Client.CODEX:
        return {"url": url, "bearer_token_env_var": KEY_VARIABLE}
    if client is Client.ZED:
        raise ValueError(
            "Zed puts no variables into headers, so the API key would stand in its settings; "
            "use --transport stdio, which reaches the same server with --url and keeps its key itself"
        )
    return {"url": url, "headers": {"Authorization": f"Bearer {_VARIABLES[client]}"}}


def _base(url: str) -> str:
    try:
        parts = urlsplit(url)
        address = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, a bracket that does not close; its text would show the URL
        parts, address = urlsplit(""), None
    if not address or any(mark.isspace() for mark in url):
        raise ValueError("--url must be the http:// or https:// address of a Backchannel server")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("--url must be a plain address, without user, password, query or fragment: the snippet may be shared")
    if any(mark in url for mark in "${}"):  # clients would replace it, each in its own way
        raise ValueError("--url must be an address, not a variable")
    return url.rstrip("/").removesuffix("/mcp").rstrip("/")


def config(
    client: Annotated[Client, typer.Option(help="Whose configuration.")],
    transport: Annotated[
        Transport, typer.Option(help="stdio: a process of this machine. http: the /mcp endpoint of a server.")
    ] = Transport.STDIO,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="BACKCHANNEL_BASE_URL", help="Address of a Backchannel server; needed on stdio for another machine's."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON for every client, beside the name of the file it goes into.")
    ] = False,
) -> None:
    """Print what a client's configuration needs to find the bus. It holds no API key, only where the client finds it."""
    tree = snippet(client, transport, url)
    if as_json:
        typer.echo(json.dumps({"client": client.value, "file": FILES[client], "config": tree}, indent=2))
        return
    typer.echo(tomlkit.dumps(tree).rstrip("\n") if client is Client.CODEX else json.dumps(tree, indent=2))
    typer.echo(f"backchannel: goes into {FILES[client]}; {_where_the_key_is(client, transport)}", err=True)


def _where_the_key_is(client: Client, transport: Transport) -> str:
    if transport is Transport.STDIO:
        return f"the API key is minted at the first call and kept, unless {KEY_VARIABLE} is set"
    if client is Client.VSCODE:
        return "VS Code asks for the API key once; `backchannel keys mint` makes one"
    return f"set {KEY_VARIABLE} where the client starts; `backchannel keys mint` makes a key"
