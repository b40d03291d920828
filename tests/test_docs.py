"""The documents tell the truth: their commands are run and print what they show, and their lists are complete."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus.keys import Keys
from tests.documents import FENCE, check, run, runnable
from tools import routes_docs, settings_docs

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
RUN = [path for path in DOCUMENTS if runnable(path.read_text(encoding="utf-8"))]

# Commands that a document shows and this test does not run, by how they begin, each with the reason.
NOT_RUN = {
    "make ": "they are what runs this test; test_make_knows_what_the_documents_name looks at each",
    "claude ": "needs the Claude Code client; tests/mcp_clients has it",
    "docker compose": "needs a container engine; test_packaging reads the files",
    "pip install": "make wheel installs the wheel in a clean environment",
    "bash .ci/run": "it runs this test",
    "export BACKCHANNEL_": "sets a value of the reader's own",
    "BACKCHANNEL_REDIS_URL=redis://": "names a server of the reader's own",
    "BACKCHANNEL_UPDATE_DOCS=1": "it runs this test",
    "backchannel serve": "runs until it is stopped; the server of this test is one",
    "python -m bench.": "measures for minutes",
    "python -m tools.settings_docs": "test_the_settings_page_is_complete compares what it writes",
}


@dataclass(frozen=True)
class Machine:
    """A home directory with nothing in it, a PATH that has the console scripts, and a server on a free port."""

    home: Path
    env: dict[str, str]
    address: str


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _path(home: Path) -> str:
    """The console scripts of this checkout, and redis-cli as it prints on a terminal; ours where none is installed."""
    binaries = home / "bin"
    binaries.mkdir()
    _script(binaries / "backchannel", f'exec "{sys.executable}" -m api.cli "$@"')
    _script(binaries / "backchannel-mcp", f'exec "{sys.executable}" -m mcp_server "$@"')
    _script(binaries / "python3", f'exec "{sys.executable}" "$@"')
    installed = shutil.which("redis-cli")
    _script(
        binaries / "redis-cli",
        f'exec "{installed}" --no-raw "$@"' if installed else f'exec "{sys.executable}" -m tests.redis_cli "$@"',
    )
    return f"{binaries}:{os.environ['PATH']}"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="bcdocs-") as folder:
        home = Path(folder)
        env = {
            "HOME": folder,
            "PATH": _path(home),
            "PYTHONPATH": str(ROOT),
            "BACKCHANNEL_DATA_DIR": str(home / ".local/share/backchannel"),
            "LANG": "C.UTF-8",
            # One address runs the commands of a whole document.
            "BACKCHANNEL_KEY_MINT_LIMIT": "0",
            "BACKCHANNEL_ADMIN_TOKEN": "the-operator-s-token",
            "BACKCHANNEL_WEBHOOK_ALLOW": "127.0.0.1",
        }
        command = [sys.executable, "-m", "api.cli", "serve", "--port", "0"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=home) as server:
            try:
                assert server.stdout
                first = server.stdout.readline()
                found = re.search(r"http://\S+", first)
                assert found, f"serve printed {first!r} first"
                yield Machine(home, env, found[0])
            finally:
                server.send_signal(signal.SIGTERM)
                server.communicate(timeout=10)


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="the documents' commands use bash and curl")
@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_the_commands_of_a_document_do_what_it_shows(path: Path, machine: Machine) -> None:
    """Whoever copies a command gets what the document promises."""
    blocks = runnable(path.read_text(encoding="utf-8"))
    rewrite = {"http://127.0.0.1:8080": machine.address, "~/": f"{machine.home}/"}
    check(path, blocks, run(blocks, env=machine.env, cwd=machine.home, rewrite=rewrite))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_command_that_is_not_run_is_named_with_its_reason(path: Path) -> None:
    """No command rots unseen: it is run, or it stands in NOT_RUN."""
    fences = [fence for fence in FENCE.finditer(path.read_text(encoding="utf-8")) if fence["info"] in ("sh", "console", "bash")]
    commands = [line for fence in fences for line in fence["body"].replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    assert not [command for command in commands if not command.startswith(tuple(NOT_RUN))]


def test_make_knows_what_the_documents_name() -> None:
    """Every `make …` in a document is a target with a line of help."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        target
        for path in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"serve", "test", "demo"} <= named
    assert not {target for target in named if not re.search(rf"^{target}:.* ## ", makefile, re.MULTILINE)}


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link names a file of this checkout, and a heading of it where it names one."""
    broken: list[str] = []
    for path in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            linked = (path.parent / name).resolve() if name else path
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE) if linked.is_file() else []
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            if not linked.exists() or (anchor and anchor not in anchors):
                broken.append(f"{path.name}: {target}")
    assert not broken


def test_the_index_names_every_document() -> None:
    """A page that nothing leads to is not read."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert not [name for name in pages if f"]({name})" not in index]


def test_the_settings_page_is_complete() -> None:
    """docs/settings.md is what tools/settings_docs.py writes: run `python -m tools.settings_docs`."""
    assert settings_docs.PAGE.read_text(encoding="utf-8") == settings_docs.page()


def test_the_routes_page_is_complete() -> None:
    """docs/routes.md is what tools/routes_docs.py writes: run `python -m tools.routes_docs`."""
    assert routes_docs.PAGE.read_text(encoding="utf-8") == routes_docs.page()


def test_every_redis_key_is_documented() -> None:
    """Every name that bus/keys.py makes stands in docs/redis-keys.md as a heading's pattern, and no other does."""
    keys = Keys()
    instance = [getattr(keys, name) for name, value in vars(Keys).items() if isinstance(value, property)]
    made = {*keys.of_channel("writers"), *instance, keys.api_key("<key id>"), keys.revoked("<key id>")}
    made |= {keys.once("writers", "<key id>", "<verb>", "<idempotency key>"), keys.requests("writers"), keys.events("writers")}
    made |= {keys.gone("writers"), keys.put_aside("writers", "<deletion>") + ":stream", keys.owned("<key id>")}
    made |= {keys.invitation("<sha256>"), keys.sessions("<key id>"), keys.mentions("<actor>"), keys.chain_rate("<message id>")}
    made |= {keys.webhook("<actor>"), keys.told("writers", "<actor>"), keys.failures("writers")}
    made |= {keys.rate("<key id>"), keys.address_rate("<what>", "<address>"), keys.remembered("<key id>", "<idempotency key>")}
    patterns = {f"{name}<id>" if name.endswith(":") else name for name in made}
    page = (ROOT / "docs" / "redis-keys.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(bc:[^`]+)` \|", page, re.MULTILINE)) == patterns
