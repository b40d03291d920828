"""What `backchannel serve` prints once it listens: where it is, how agents connect, how to look inside."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import bus


def banner(address: str, health: bus.Health | None, settings: bus.Settings) -> str:
    """`address`: the base URL under which this machine reaches the server. `health` None: the store is down as yet."""
    store = f"{health.store}, {health.server}" if health else "not reachable yet; it will be used as soon as it is"
    look = health.look if health and health.look else "(this store cannot be looked into from outside)"
    return f"""\
Backchannel {bus.__version__} serves {address}   (store: {store})

  Connect an agent (it mints its own API key):
    claude mcp add backchannel -e BACKCHANNEL_BASE_URL={address} -- {_mcp_command()}
  Or by streamable HTTP, with an API key in the environment of the client:
    curl -X POST {address}/v1/keys -d '{{"agent_label": "ann"}}'
    claude mcp add --transport http backchannel {address}/mcp --header 'Authorization: Bearer ${{BACKCHANNEL_API_KEY}}'
  Look inside:
    {look}
  The HTTP API: {address}/openapi.json        Stop: Ctrl-C
"""


def _mcp_command() -> str:
    """The MCP server's console script: by name where a shell finds this very one, else by its path."""
    ours = Path(sys.executable).parent / "backchannel-mcp"
    found = shutil.which("backchannel-mcp")
    return "backchannel-mcp" if found and Path(found).resolve() == ours.resolve() else shlex.quote(str(ours))
