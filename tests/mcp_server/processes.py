"""Real `backchannel-mcp` processes, spoken to line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def environment(home: Path, **more: str) -> dict[str, str]:
    """A user of its own: nothing of the developer's settings, keys or data."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    return kept | {
        "BACKCHANNEL_DATA_DIR": str(home / "data"),
        "BACKCHANNEL_CONFIG_DIR": str(home / "config"),
        "PYTHONPATH": str(ROOT),
        # One address makes all the requests and mints all the keys.
        "BACKCHANNEL_RATE_LIMIT": "0",
        "BACKCHANNEL_KEY_MINT_LIMIT": "0",
        **more,
    }


@dataclass
class Served:
    """A server process in the handshake era: the plainest client there can be."""

    process: Process
    lines: BufferedByteReceiveStream
    sent: int = 0
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    progress: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request; its id."""
        self.sent += 1
        request = self.sent
        await self._write({"jsonrpc": "2.0", "id": request, "method": method, "params": params or {}})
        return request

    async def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        await self._write({"jsonrpc": "2.0", "method": method, "params": params or {}})

    async def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send((json.dumps(message) + "\n").encode())

    async def next(self) -> dict[str, Any]:
        """The next line, kept as an answer or a progress note."""
        message = json.loads(await self.lines.receive_until(b"\n", 1_000_000))
        if "id" in message:
            self.answers[message["id"]] = message
        elif message.get("method") == "notifications/progress":
            self.progress.append(message["params"])
        return message

    async def answer(self, request: int) -> dict[str, Any]:
        with anyio.fail_after(PATIENCE):
            while request not in self.answers:
                await self.next()
        return self.answers[request]

    async def start_call(self, tool: str, **arguments: Any) -> int:
        return await self.send("tools/call", {"name": tool, "arguments": arguments, "_meta": {"progressToken": tool}})

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The tool's result, error or not."""
        return (await self.answer(await self.start_call(tool, **arguments)))["result"]

    async def initialize(self) -> dict[str, Any]:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        found = await self.answer(await self.send("initialize", params))
        await self.notify("notifications/initialized")
        return found["result"]


@asynccontextmanager
async def spoken_to(process: Process) -> AsyncGenerator[Served]:
    """The session with a server process, handshake done; killed at the end if it still runs."""
    assert process.stdout is not None
    try:
        started = Served(process, BufferedByteReceiveStream(process.stdout))
        await started.initialize()
        yield started
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()
            await process.aclose()


@asynccontextmanager
async def served(home: Path, **more: str) -> AsyncGenerator[Served]:
    """`python -m mcp_server`, handshake done; killed at the end if it still runs."""
    process = await anyio.open_process(
        [sys.executable, "-m", "mcp_server"], env=environment(home, **more), cwd=home, stderr=subprocess.PIPE
    )
    async with spoken_to(process) as started:
        yield started


async def ended(process: Process, within: float) -> int:
    """Its exit code; fails the test when it takes longer."""
    with anyio.fail_after(within):
        return await process.wait()
