"""`backchannel config` and the packages for clients: what they write is what each client reads, and never holds a key."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import bus
from api.client_config import FILES, KEY_VARIABLE, Client, Transport, snippet
from bus import Settings

ROOT = Path(__file__).parent.parent
SERVER = "https://bus.example.net"
ENDPOINT = f"{SERVER}/mcp"
KEY = "bck_0123456789abcdef.abcdefghijklmnopqrstuvwxyz"
BOTH = [(client, transport) for client in Client for transport in Transport if (client, transport) != (Client.ZED, "http")]


def config(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "config", *words],
        cwd=ROOT,
        env=clean | env,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("client", "transport"), BOTH)
def test_what_is_printed_is_the_configuration_and_nothing_else(client: Client, transport: Transport) -> None:
    """It can be written to the client's file as it is; the notes are on stderr, and no key is in either."""
    done = config("--client", client, "--transport", transport, "--url", SERVER, **{KEY_VARIABLE: KEY})
    assert done.returncode == 0, done.stderr
    read = tomllib.loads if client is Client.CODEX else json.loads
    assert read(done.stdout) == snippet(client, transport, SERVER)
    assert FILES[client] in done.stderr
    assert KEY not in done.stdout + done.stderr


def test_each_client_finds_the_key_in_its_own_way() -> None:
    """Claude Code replaces ${VAR}, Cursor ${env:VAR}, Codex reads the variable named, VS Code asks and keeps it."""
    assert snippet(Client.CLAUDE, Transport.HTTP, SERVER) == {
        "mcpServers": {
            "backchannel": {
                "type": "http",
                "url": ENDPOINT,
                "headers": {"Authorization": "Bearer ${BACKCHANNEL_API_KEY}"},
            }
        }
    }
    assert snippet(Client.JSON, Transport.HTTP, SERVER) == snippet(Client.CLAUDE, Transport.HTTP, SERVER)
    assert snippet(Client.CURSOR, Transport.HTTP, SERVER) == {
        "mcpServers": {
            "backchannel": {"url": ENDPOINT, "headers": {"Authorization": "Bearer ${env:BACKCHANNEL_API_KEY}"}},
        }
    }
    assert snippet(Client.CODEX, Transport.HTTP, SERVER) == {
        "mcp_servers": {
            "backchannel": {"url": ENDPOINT, "bearer_token_env_var": "BACKCHANNEL_API_KEY", "tool_timeout_sec": 300},
        }
    }
    code = snippet(Client.VSCODE, Transport.HTTP, SERVER)
    (asked,) = code["inputs"]
    assert asked["password"] is True
    assert code["servers"]["backchannel"]["headers"] == {"Authorization": f"Bearer ${{input:{asked['id']}}}"}


@pytest.mark.parametrize(
    ("client", "table"),
    [
        (Client.CLAUDE, "mcpServers"),
        (Client.CURSOR, "mcpServers"),
        (Client.ZED, "context_servers"),
        (Client.VSCODE, "servers"),
        (Client.CODEX, "mcp_servers"),
        (Client.JSON, "mcpServers"),
    ],
)
def test_over_stdio_the_server_is_a_process_that_keeps_its_own_key(client: Client, table: str) -> None:
    """Without a URL there is nothing to set; with one, only the server's address."""
    local = snippet(client, Transport.STDIO)[table]["backchannel"]
    assert (local["command"], local["args"], local["env"]) == ("backchannel-mcp", [], {})
    assert snippet(client, Transport.STDIO, SERVER)[table]["backchannel"]["env"] == {"BACKCHANNEL_BASE_URL": SERVER}


def test_codex_hands_the_key_on_to_the_process() -> None:
    """Codex gives a process only the variables that are named, and cuts calls after a minute unless told."""
    server = snippet(Client.CODEX, Transport.STDIO)["mcp_servers"]["backchannel"]
    assert server["env_vars"] == [KEY_VARIABLE]
    assert server["tool_timeout_sec"] == 300


@pytest.mark.parametrize("url", [SERVER, f"{SERVER}/", ENDPOINT, f"{ENDPOINT}/"])
def test_the_address_is_taken_with_and_without_the_endpoint(url: str) -> None:
    """People paste either."""
    assert snippet(Client.CURSOR, Transport.HTTP, url)["mcpServers"]["backchannel"]["url"] == ENDPOINT
    assert snippet(Client.CURSOR, Transport.STDIO, url)["mcpServers"]["backchannel"]["env"]["BACKCHANNEL_BASE_URL"] == SERVER


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--client", "claude", "--url", "ftp://bus"], "--url must be the http:// or https:// address"),
        (["--client", "claude", "--url", "http://"], "--url must be the http:// or https:// address"),
        (["--client", "claude", "--url", "http://bus:eighty"], "--url must be the http:// or https:// address"),
        (["--client", "claude", "--url", "http://ann:hunter2@bus"], "without user, password"),
        (["--client", "claude", "--url", "http://bus/?key=hunter2"], "without user, password, query"),
        (["--client", "claude", "--url", "http://${HOST}/"], "not a variable"),
        (["--client", "zed", "--transport", "http"], "use --transport stdio"),
        (["--client", "emacs"], "emacs"),
        ([], "--client"),
    ],
)
def test_what_cannot_be_is_said_and_prints_nothing(words: list[str], said: str) -> None:
    """Exit code 2, one reason, no half snippet, and never the secret that was in a URL."""
    done = config(*words, COLUMNS="200")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert "hunter2" not in done.stderr


def test_json_names_the_file_too() -> None:
    """For programs that set clients up: one shape for all of them."""
    told = json.loads(config("--client", "codex", "--json", BACKCHANNEL_BASE_URL=SERVER).stdout)
    assert told == {
        "client": "codex",
        "file": "~/.codex/config.toml",
        "config": snippet(Client.CODEX, Transport.STDIO, SERVER),
    }


CLAUDE = shutil.which("claude")


@pytest.mark.skipif(CLAUDE is None, reason="needs Claude Code on the PATH (npm install @anthropic-ai/claude-code)")
def test_claude_code_starts_what_it_is_told_to(tmp_path: Path) -> None:
    """The real client takes the snippet, starts the server and lists its tools, in a home of its own."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "backchannel-mcp").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mcp_server "$@"\n', encoding="utf-8")
    (binaries / "backchannel-mcp").chmod(0o755)
    env = {
        "HOME": str(tmp_path),
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BACKCHANNEL_CONFIG_DIR": str(tmp_path / "config"),
        "BACKCHANNEL_DATA_DIR": str(tmp_path / "data"),
    }
    server = json.dumps(snippet(Client.CLAUDE, Transport.STDIO)["mcpServers"]["backchannel"])
    for words in (["add-json", "backchannel", server], ["get", "backchannel"]):
        done = subprocess.run(
            [str(CLAUDE), "mcp", *words], cwd=tmp_path, env=env, text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "Connected" in done.stdout, done.stdout


def read(path: str) -> dict[str, Any]:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_registry_s_entry_names_this_package() -> None:
    """server.json: the rules of its schema, this version, a command of the package's name, settings that there are."""
    entry = read("server.json")
    (package,) = entry["packages"]
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert len(entry["description"]) <= 100
    assert {entry["version"], package["version"]} == {bus.__version__}
    assert (package["registryType"], package["identifier"]) == ("pypi", project()["name"])
    assert package["transport"] == {"type": "stdio"}
    # `uvx <identifier>` runs the script of that name.
    scripts = project()["scripts"]
    assert scripts[package["identifier"]] == scripts["backchannel-mcp"]
    assert {one["name"] for one in package["environmentVariables"]} <= {
        f"BACKCHANNEL_{n.upper()}" for n in Settings.model_fields
    }
    assert [one["name"] for one in package["environmentVariables"] if one.get("isSecret")] == [KEY_VARIABLE]
    # The registry believes that a package is ours when its README says the entry's name.
    assert f"<!-- mcp-name: {entry['name']} -->" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_bundle_runs_this_version() -> None:
    """mcpb/: the published package of this version, its key kept by the client as a secret, nothing required."""
    manifest = read("mcpb/manifest.json")
    bundled = tomllib.loads((ROOT / "mcpb/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {manifest["version"], bundled["version"]} == {bus.__version__}
    assert bundled["dependencies"] == [f"{project()['name']}=={bus.__version__}"]
    assert bundled["requires-python"] == project()["requires-python"] == manifest["compatibility"]["runtimes"]["python"]
    server = manifest["server"]
    assert server["entry_point"] == server["mcp_config"]["args"][-1]
    assert (ROOT / "mcpb" / server["entry_point"]).is_file()
    named = set(re.findall(r"\$\{user_config\.(\w+)\}", json.dumps(server["mcp_config"]["env"])))
    assert named == set(manifest["user_config"])
    assert manifest["user_config"]["api_key"]["sensitive"] is True
    # An empty value counts as unset, so a user who fills in nothing gets the bus of this machine.
    assert {one["default"] for one in manifest["user_config"].values()} == {""}


def test_the_bundle_s_entry_point_is_the_server() -> None:
    """What a desktop client starts is `backchannel-mcp`."""
    done = subprocess.run(
        [sys.executable, "mcpb/server.py", "--version"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"backchannel-mcp {bus.__version__}\n"
