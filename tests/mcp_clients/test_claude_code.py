"""Claude Code from npm, offline: it connects, takes the plugin, and does a whole turn with a stub in place of the model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_server.processes import ROOT, environment
from tools import mcp_clients

from .conftest import Api, Ended, bus_command, listening, ran, variables
from .stub_model import Block, StubModel, say, use

pytestmark = pytest.mark.anyio
_SERVER = "backchannel"


@pytest.fixture(autouse=True)
def claude_code() -> None:
    if mcp_clients.claude() is None:
        pytest.skip(f"needs Claude Code on PATH, or: {mcp_clients.missing()}")


async def claude(home: Path, *arguments: str | Path, **more: str) -> Ended:
    """Its command line, for a user who has nothing but this home, in a project of that user's."""
    project = home / "project"
    project.mkdir(exist_ok=True)
    # Whatever runs these tests may be another session of the same client.
    kept = {name: value for name, value in environment(home).items() if not name.startswith(("CLAUDE", "ANTHROPIC"))}
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"  # where the plugin finds backchannel-mcp
    env = {**kept, "HOME": str(home), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", **more}
    program = mcp_clients.claude()
    assert program is not None
    return await ran([program, *arguments], env, project)


async def test_it_connects_to_the_server_over_both_transports(api: Api, home: Path) -> None:
    """`claude mcp add`, `list` and `get`: it starts the one and calls the other, and says Connected of both; with the
    channel push too, for which it has to fall back to the older protocol."""
    given = [part for each in variables(home).items() for part in ("-e", "=".join(each))]
    for name, flags in ((_SERVER, ()), ("pushing", ("--claude-channel",))):
        added = await claude(home, "mcp", "add", name, *given, "--", *bus_command(), *flags)
        assert added.code == 0, added
    header = "Authorization: Bearer ${BUS_KEY}"
    added = await claude(home, "mcp", "add", "--transport", "http", "served", f"{api.url}/mcp", "--header", header)
    assert added.code == 0, added
    listed = await claude(home, "mcp", "list", BUS_KEY=api.api_key)
    connected = {line.partition(":")[0] for line in listed.out.splitlines() if line.endswith("✔ Connected")}
    assert connected == {_SERVER, "pushing", "served"}, listed
    got = await claude(home, "mcp", "get", "served", BUS_KEY=api.api_key)
    assert "✔ Connected" in got.out, got
    assert api.api_key not in got.out

    refused = await claude(home, "mcp", "get", "served", BUS_KEY="bck_wrong.key")
    assert "✔ Connected" not in refused.out, refused
    assert "401" in refused.out, refused


@pytest.mark.parametrize("path", [".", ".claude-plugin/plugin.json"])
async def test_it_accepts_the_plugin(path: str, home: Path) -> None:
    """Its own check, warnings counted as errors: of the marketplace, and of the plugin."""
    checked = await claude(home, "plugin", "validate", "--strict", ROOT / "plugin" / path)
    assert checked.code == 0, checked


async def test_it_installs_the_plugin_and_connects_to_its_server(home: Path) -> None:
    """From the marketplace that is the plugin's own folder, as docs/clients.md says."""
    for arguments in (("marketplace", "add", ROOT / "plugin"), ("install", "backchannel@backchannel")):
        done = await claude(home, "plugin", *arguments)
        assert done.code == 0, done
    listed = await claude(home, "mcp", "list")
    assert "plugin:backchannel:backchannel" in listed.out, listed
    assert "✔ Connected" in listed.out, listed


async def test_a_whole_turn_shows_the_model_what_comes_next(home: Path) -> None:
    """`claude -p`: the model posts, works and awaits by what each answer's `next` says, of which it must see every field."""
    name = f"mcp__{_SERVER}__%s"
    posted: dict[str, Any] = {}

    def claim(answers: dict[str, Any]) -> Block:
        posted.update(json.loads(answers[name % "post_task"]))
        return use(name % "claim_task", channel="writers")

    def ack(answers: dict[str, Any]) -> Block:
        return use(
            name % "ack_task", message_id=json.loads(answers[name % "claim_task"])["task"]["message_id"], result="bonjour"
        )

    def wait(answers: dict[str, Any]) -> Block:
        return use(name % "await_result", message_id=posted["message_id"])

    def finish(answers: dict[str, Any]) -> Block:
        return say(f"outcome {answers[name % 'await_result']}")

    model = StubModel([lambda _: use(name % "post_task", channel="writers", content="translate"), claim, ack, wait, finish])
    servers = {_SERVER: {"command": bus_command()[0], "args": bus_command()[1:], "env": variables(home)}}
    (home / "servers.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    async with listening(model.app(), lifespan="off") as url:
        turn = await claude(
            home, "-p", "Have it translated.", "--mcp-config", home / "servers.json", "--strict-mcp-config",
            "--allowedTools", name % "*", "--output-format", "text",
            ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="sk-of-nobody",
        )  # fmt: skip
    assert turn.code == 0, turn
    assert f'await_result(message_id="{posted["message_id"]}")' in posted["next"]
    outcome = json.loads(turn.out.strip().removeprefix("outcome "))
    assert outcome["status"] == "done"
    assert "bonjour" in outcome["result"]
    assert "next" in outcome
    assert "Backchannel hands work between agents." in json.dumps(model.seen[0]), "the server's instructions reach the model"
