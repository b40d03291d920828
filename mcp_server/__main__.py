"""`backchannel-mcp`: the tools of the bus over standard input and output, for one session of one client."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from bus import Settings, __version__, connect

_LEVELS: Final = frozenset({"critical", "error", "warning", "info", "debug"})
_ABOUT: Final = """\
MCP server over stdio: the tools by which AI agents hand work to each other. A client starts it; to try it by hand use
`make demo`. Without settings it uses the bus of this user on this machine and starts its store when needed.

environment:
  BACKCHANNEL_BASE_URL     use the bus behind this HTTP API
  BACKCHANNEL_REDIS_URL    use the bus on this Redis or Valkey
  BACKCHANNEL_API_KEY      API key; unset: the one kept in BACKCHANNEL_CONFIG_DIR, or a new one
  BACKCHANNEL_AGENT_LABEL  name of this agent; unset: mcp-<host>-<pid>
  BACKCHANNEL_WAIT_SECONDS how long calls wait unless they say; unset: what the client allows, or 50
  BACKCHANNEL_MCP_LOG      a file to log to, or a level (debug, info, warning) for standard error
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the input ends (0) or a signal comes (128 + its number). 2: the settings make no sense."""
    parser = argparse.ArgumentParser(
        prog="backchannel-mcp", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"backchannel-mcp {__version__}")
    parser.add_argument(
        "--claude-channel",
        action="store_true",
        help="push what happens for this session to Claude Code (a research preview); serves MCP up to 2025-11-25 only",
    )
    given = parser.parse_args(arguments)
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue] - every field has a default, from the environment
        configure_logging(settings.mcp_log)
    except ValidationError as error:
        return _complain("; ".join(f"BACKCHANNEL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()))
    except OSError as error:
        return _complain(f"BACKCHANNEL_MCP_LOG: cannot write {error.filename}: {error.strerror}")
    try:
        return asyncio.run(serve(settings, claude_channel=given.claude_channel))
    except (ValueError, ImportError) as error:  # a URL of an unknown kind; memory:// without its extra
        return _complain(str(error))


def _complain(message: str) -> int:
    print(f"backchannel-mcp: {message}", file=sys.stderr)
    return 2


def configure_logging(to: str | None) -> None:
    """Warnings to standard error; `to` names another level, or a file (which gets `info`). Raises OSError for the file."""
    level = to.upper() if to and to.lower() in _LEVELS else "WARNING"
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    if to and to.lower() not in _LEVELS:
        logging.basicConfig(filename=to, level="INFO", format=form, force=True)
    else:
        logging.basicConfig(stream=sys.stderr, level=level, format=form, force=True)


async def serve(settings: Settings, *, claude_channel: bool = False) -> int:
    """One session on the standard streams; the exit code. Raises ValueError for a store URL of an unknown kind."""
    from .channel_push import serve_with_push
    from .notices import SESSION_VARIABLE, hooks_answered
    from .server import create_server
    from .session import Session
    from .stdio import standard_wire

    signals: list[int] = []
    async with connect(settings) as bus, standard_wire() as (wire, incoming, outgoing), asyncio.TaskGroup() as group:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_signal(number: int) -> None:
            signals.append(number)
            loop.remove_signal_handler(number)  # a second one ends the process at once
            stop.set()

        async def end_orderly() -> None:
            await stop.wait()
            bus.drain()
            await wire.end()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
        ending = group.create_task(end_orderly())
        session = Session(settings)
        giving_back = group.create_task(wire.unheard.give_back(bus, session))
        server = create_server(bus, session)
        lowlevel = server._lowlevel_server  # pyright: ignore[reportPrivateUsage] - MCPServer serves its own stdio only
        async with hooks_answered(bus, session, os.environ.get(SESSION_VARIABLE)):
            if claude_channel:
                await serve_with_push(lowlevel, bus, session, incoming, outgoing)
            else:
                await lowlevel.run(incoming, outgoing, lowlevel.create_initialization_options())
        ending.cancel()
        giving_back.cancel()
    return 128 + signals[0] if signals else 0


if __name__ == "__main__":
    sys.exit(main())
