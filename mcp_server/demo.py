"""The two-agent demo: two real MCP servers over stdio, one task handed over, one worker killed, nothing lost."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from rich.console import Console

LEASE_SECONDS: Final = 3
SECOND: Final = 2
"""The delivery after the killed one."""
_CHANNEL: Final = "writers"


class BrokenPromiseError(Exception):
    """A step went otherwise than promised."""


@dataclass(slots=True)
class Story:
    """Tells each step with its time since the start."""

    console: Console
    started: float

    def tell(self, who: str, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self.started:6.2f} s[/]  [bold]{who:8}[/]  ", end="")
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Agent:
    """One session: an SDK client and the server process it has started."""

    name: str
    client: Client
    story: Story

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The tool's structured answer. Raises BrokenPromiseError for an error."""
        answer = await self.client.call_tool(tool, arguments)
        if answer.is_error or answer.structured_content is None:
            raise BrokenPromiseError(f"{tool}: {' '.join(getattr(block, 'text', '') for block in answer.content)}")
        return answer.structured_content

    async def outcome(self, message_id: str) -> tuple[str, str]:
        """The status and the result of a task, out of its envelope: `<<fence text fence>>`."""
        answer = await self.call("await_result", message_id=message_id, timeout_seconds=30)
        return answer["status"], out_of(answer, answer.get("result", ""))

    def pid(self, home: Path) -> int:
        """The process id of this agent's server."""
        return int((home / f"{self.name}.pid").read_text())


@asynccontextmanager
async def agent(name: str, home: Path, story: Story) -> AsyncGenerator[Agent]:
    """`backchannel-mcp` as a client starts it, on the data in `home`; the shell leaves its process id behind."""
    server = StdioServerParameters(
        command="/bin/sh",
        args=["-c", f'echo $$ > "{home / name}.pid"; exec "$0" -m mcp_server', sys.executable],
        env={
            "BACKCHANNEL_DATA_DIR": str(home / "data"),
            "BACKCHANNEL_CONFIG_DIR": str(home / "config"),
            "BACKCHANNEL_AGENT_LABEL": name,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )
    async with Client(stdio_client(server)) as client:
        yield Agent(name, client, story)


def out_of(answer: dict[str, Any], text: str) -> str:
    """What another agent wrote, without the envelope in which this answer brings it."""
    return text.removeprefix(f"<<{answer.get('fence')} ").removesuffix(f" {answer.get('fence')}>>")


def expect(promise: bool, otherwise: str) -> None:
    """Raises BrokenPromiseError with what was found instead."""
    if not promise:
        raise BrokenPromiseError(otherwise)


async def hand_over(poster: Agent, worker: Agent) -> None:
    """Post, claim, ack, await: the result comes back to who asked."""
    story = poster.story
    task = await poster.call("post_task", channel=_CHANNEL, content="Say hello in French")
    story.tell(poster.name, f'post_task on {_CHANNEL}: "Say hello in French" -> {task["message_id"]}')
    claimed = await worker.call("claim_task", channel=_CHANNEL, wait_seconds=10)
    expect(claimed["status"] == "claimed" and claimed["task"]["message_id"] == task["message_id"], f"claimed {claimed}")
    story.tell(
        worker.name, f'claim_task: got "{out_of(claimed, claimed["task"]["content"])}" from {claimed["task"]["from"]["label"]}'
    )

    outcomes: list[tuple[str, str]] = []

    async def wait() -> None:
        outcomes.append(await poster.outcome(task["message_id"]))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await worker.call("ack_task", message_id=task["message_id"], result="Bonjour")
        story.tell(worker.name, 'ack_task with the result "Bonjour"')
    expect(outcomes == [("done", "Bonjour")], f"await_result answered {outcomes}")
    story.tell(poster.name, 'await_result: done, "Bonjour"')


async def survive_a_kill(poster: Agent, home: Path) -> None:
    """A worker dies in the middle of a task: the task is back within one lease, and its outcome is the second worker's."""
    story = poster.story
    task = await poster.call("post_task", channel=_CHANNEL, content="Say goodbye in French")
    story.tell(poster.name, f'post_task on {_CHANNEL}: "Say goodbye in French" -> {task["message_id"]}')
    async with agent("doomed", home, story) as doomed:
        claimed = await doomed.call("claim_task", channel=_CHANNEL, lease_seconds=LEASE_SECONDS, wait_seconds=10)
        expect(claimed["status"] == "claimed", f"claimed {claimed}")
        story.tell(doomed.name, f"claim_task: got it, delivery {claimed['task']['delivery']}, lease {LEASE_SECONDS} s")
        os.kill(doomed.pid(home), signal.SIGKILL)
        killed = time.monotonic()
        story.tell(doomed.name, "killed (SIGKILL) in the middle of it")
    async with agent("rescuer", home, story) as rescuer:
        again = await rescuer.call("claim_task", channel=_CHANNEL, wait_seconds=30)
        expect(again["status"] == "claimed" and again["task"]["message_id"] == task["message_id"], f"claimed {again}")
        expect(again["task"]["delivery"] == SECOND, f"delivery {again['task']['delivery']}, not {SECOND}")
        story.tell(rescuer.name, f"claim_task: got it {time.monotonic() - killed:.1f} s after the kill, delivery 2")
        await rescuer.call("ack_task", message_id=task["message_id"], result="Au revoir")
        story.tell(rescuer.name, 'ack_task with the result "Au revoir"')
        outcome = await poster.outcome(task["message_id"])
    expect(outcome == ("done", "Au revoir"), f"await_result answered {outcome}")
    story.tell(poster.name, 'await_result: done, "Au revoir" (exactly one outcome)')


async def play(console: Console) -> None:
    """The whole demo, on a data directory of its own. Raises BrokenPromiseError."""
    story = Story(console, time.monotonic())
    # The directory's path is short on purpose: a unix socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="bc-") as folder:
        home = Path(folder)
        async with agent("planner", home, story) as planner:
            story.tell(planner.name, "MCP server started, tools listed: " + str(len((await planner.client.list_tools()).tools)))
            async with agent("writer", home, story) as writer:
                story.tell(writer.name, "MCP server started")
                await hand_over(planner, writer)
            await survive_a_kill(planner, home)


def failures(error: BaseException) -> list[BaseException]:
    """What is inside of exception groups, however deep."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [inner for outer in group.exceptions for inner in failures(outer)]


def main() -> int:
    """0: every step was as promised."""
    console = Console()
    try:
        anyio.run(play, console)
    except (BrokenPromiseError, MCPError, ExceptionGroup) as error:
        for failure in failures(error):
            console.print(f"not as promised: {failure!r}", markup=False, style="red")
        return 1
    console.print("every step was as promised", style="green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
