"""The Claude Code plugin: its files are what the client reads, and its hooks are quick, quiet and harmless."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

import bus
from bus.store.embedded import stop_embedded
from mcp_server.server import TOOLS
from tests.mcp_server.processes import Served, served

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "plugin"
HOOK = PLUGIN / "hooks" / "notice.py"
SESSION = "9c86bbba-9466-4932-807a-344bd2b30658"
# The promise is 200 ms. A machine that runs two test processes on one core is given more, for starting python.
BOUND_SECONDS = 1.0


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, because a unix socket's path may have 107 characters only."""
    with tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp") as folder:
        yield Path(folder)
        stop_embedded(Path(folder) / "data")


def read(path: str) -> dict[str, Any]:
    return json.loads((PLUGIN / path).read_text(encoding="utf-8"))


def commands() -> dict[str, str]:
    """The command of each hook event."""
    found: dict[str, str] = {}
    for event, groups in read("hooks/hooks.json")["hooks"].items():
        ((hook,),) = [group["hooks"] for group in groups]
        assert hook["type"] == "command"
        assert 0 < hook["timeout"] <= 10
        found[event] = hook["command"]
    return found


def asked(event: str, home: Path, text: str | None = None, **fields: object) -> subprocess.CompletedProcess[str]:
    """What the hook says, run as the client runs it."""
    return subprocess.run(
        ["sh", "-c", commands()[event]],
        input=json.dumps({"hook_event_name": event, "session_id": SESSION, **fields}) if text is None else text,
        env={"PATH": os.environ["PATH"], "CLAUDE_PLUGIN_ROOT": str(PLUGIN), "BACKCHANNEL_CONFIG_DIR": str(home / "config")},
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )


async def ask(event: str, home: Path, **fields: object) -> subprocess.CompletedProcess[str]:
    """The same, while a server of this test goes on."""
    return await anyio.to_thread.run_sync(lambda: asked(event, home, **fields))


def silent(done: subprocess.CompletedProcess[str]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_the_hooks_tell_what_waits(home: Path) -> None:
    """The whole way: Claude Code's event, the hook, the socket, the session's own server, the bus, and back."""
    async with served(home, CLAUDE_CODE_SESSION_ID=SESSION, BACKCHANNEL_AGENT_LABEL="ann") as ann:
        assert silent(await ask("UserPromptSubmit", home))
        message_id = (await _call(ann, "post_task", channel="writers", content="x"))["message_id"]
        await _call(ann, "claim_task", channel="writers")

        stopped = json.loads((await ask("Stop", home)).stdout)
        assert stopped["decision"] == "block"
        assert message_id in stopped["reason"]
        assert silent(await ask("Stop", home))

        await _call(ann, "ack_task", message_id=message_id, result="done")
        prompted = json.loads((await ask("UserPromptSubmit", home)).stdout)["hookSpecificOutput"]
        assert prompted["hookEventName"] == "UserPromptSubmit"
        assert f"{message_id} is done" in prompted["additionalContext"]
        assert silent(await ask("UserPromptSubmit", home))

        started = json.loads((await ask("SessionStart", home, source="compact")).stdout)["hookSpecificOutput"]
        assert f"{message_id} is done" in started["additionalContext"]
        assert silent(await ask("UserPromptSubmit", home, session_id="another-session"))


async def _call(server: Served, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await server.call(tool, **arguments)
    assert not answer.get("isError"), answer
    return answer["structuredContent"]


async def test_the_hooks_are_quick(home: Path) -> None:
    """A prompt waits for them, from the start of their process to its end: 19 of 20 runs need no 200 ms of a processor.

    The time on the clock is that of a machine that may be busy with other tests: it is printed, and has a generous bound.
    """
    async with served(home, CLAUDE_CODE_SESSION_ID=SESSION) as server:
        await _call(server, "post_task", channel="writers", content="x")
        await _call(server, "claim_task", channel="writers", wait_seconds=0)
        for event in ("SessionStart", "UserPromptSubmit", "Stop"):
            took: list[float] = []
            used = [_used_by_children()]
            for _ in range(20):
                started = time.monotonic()
                assert (await ask(event, home)).returncode == 0
                took.append(time.monotonic() - started)
                used.append(_used_by_children())
            took.sort()
            worked = sorted(after - before for before, after in pairwise(used))
            print(f"{event}: p50 {took[9] * 1000:.0f}, p95 {took[18] * 1000:.0f} ms; processor p95 {worked[18] * 1000:.0f} ms")
            assert worked[18] < 0.2
            assert took[-1] < BOUND_SECONDS


def _used_by_children() -> float:
    """Seconds of processor time of all processes that this one started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def test_a_server_that_was_killed_or_hangs_is_not_waited_for(home: Path) -> None:
    """Its socket is still there: the hook says nothing, in time, and clears a dead one away."""
    async with served(home, CLAUDE_CODE_SESSION_ID=SESSION) as server:
        await server.call("list_channels")
        (path,) = (home / "config" / "sessions").iterdir()
        server.process.kill()
        await server.process.wait()
    assert path.exists()
    assert silent(await ask("UserPromptSubmit", home))
    assert not path.exists()

    listener = await anyio.create_unix_listener(path)  # takes the call, says nothing
    async with listener:
        started = time.monotonic()
        assert silent(await ask("UserPromptSubmit", home))
        assert time.monotonic() - started < BOUND_SECONDS


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "7", "null", "{}", '{"hook_event_name": "Stop", "session_id": "../../../etc"}', "[" * 100_000],
)
def test_a_hook_never_fails_the_session(home: Path, text: str) -> None:
    """Whatever it is asked, and with no server about: exit code 0 and not a word."""
    for event in commands():
        assert silent(asked(event, home, text))


def test_a_turn_that_goes_on_because_of_the_hook_is_not_kept_from_ending(home: Path) -> None:
    """Claude Code says so by stop_hook_active; asking again would go round in circles."""
    assert silent(asked("Stop", home, stop_hook_active=True))


def test_the_hook_imports_little() -> None:
    """It runs at each prompt, with whatever python3 there is: the standard library's quick modules, none of this package."""
    imported = set(re.findall(r"^(?:import|from) (\w+)", HOOK.read_text(encoding="utf-8"), re.MULTILINE))
    assert imported <= {"contextlib", "json", "os", "re", "socket", "sys"}
    assert set(commands()) == {"SessionStart", "UserPromptSubmit", "Stop"}
    assert set(commands().values()) == {'python3 -IS "${CLAUDE_PLUGIN_ROOT}/hooks/notice.py"'}


def test_the_plugin_is_this_version_and_starts_this_server() -> None:
    """plugin.json, .mcp.json and the marketplace beside it agree on the name."""
    plugin, market = read(".claude-plugin/plugin.json"), read(".claude-plugin/marketplace.json")
    assert plugin["version"] == bus.__version__
    assert [(one["name"], one["source"]) for one in market["plugins"]] == [(plugin["name"], "./")]
    assert read(".mcp.json") == {"mcpServers": {"backchannel": {"type": "stdio", "command": "backchannel-mcp", "args": []}}}


def test_the_command_names_tools_that_there_are() -> None:
    """/backchannel post, claim, await, broadcast, subscribe: each row leads to a tool of the server."""
    text = (PLUGIN / "commands" / "backchannel.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)\(", text, re.MULTILINE))
    tools = {tool.name for tool in TOOLS}
    assert list(rows) == ["post", "claim", "await", "broadcast", "subscribe"]
    assert set(rows.values()) | set(re.findall(r"`(\w+_\w+)`", text)) <= tools | {"await_result"}
    assert "$ARGUMENTS" in text


def test_the_command_calls_tools_with_what_they_take() -> None:
    """Each call it names has only arguments that the tool has, and all that it needs."""
    text = (PLUGIN / "commands" / "backchannel.md").read_text(encoding="utf-8")
    schemas = {tool.name: tool.parameters for tool in TOOLS}
    calls = re.findall(r"`(\w+)\(([^)]*)\)`", text)
    assert len(calls) == 5
    for tool, written in calls:
        named = {argument.partition("=")[0].strip() for argument in written.split(",")}
        assert named <= set(schemas[tool]["properties"]), tool
        assert named >= set(schemas[tool].get("required", [])), tool
