"""The `backchannel` command: data on stdout, notes on stderr, exit codes as its help says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import bus

ROOT = Path(__file__).parent.parent


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Short enough a path for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="bccli-") as folder:
        yield Path(folder) / "data"


def clean(**env: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")} | env


def cli(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *words],
        cwd=ROOT,
        env=clean(**env),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_one_line_of_data() -> None:
    """`backchannel --version` is what scripts read."""
    done = cli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"backchannel {bus.__version__}\n", "")


def test_help_names_the_exit_codes() -> None:
    """Who scripts the command finds its exit codes where its options are."""
    done = cli("--help", COLUMNS="200")
    assert done.returncode == 0
    assert "3 store or server unreachable" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        (["status"], {"BACKCHANNEL_PORT": "eighty"}, 2, "BACKCHANNEL_PORT"),
        (["status"], {"BACKCHANNEL_BASE_URL": "ftp://somewhere"}, 2, "BACKCHANNEL_BASE_URL"),
        (["status"], {"BACKCHANNEL_PREFIX": "two{buses}:"}, 2, "BACKCHANNEL_PREFIX"),
        (["serve"], {"BACKCHANNEL_TRUSTED_PROXIES": "10.0.0.0/8, proxy"}, 2, "BACKCHANNEL_TRUSTED_PROXIES"),
        (["status"], {"BACKCHANNEL_REDIS_URL": "mysql://root:hunter2@db/0"}, 2, "BACKCHANNEL_REDIS_URL: "),
        (["serve", "--port", "70000"], {}, 2, "port"),
        (["keys", "mint", " "], {"BACKCHANNEL_REDIS_URL": "memory://cli"}, 1, "agent_label"),
        (["keys", "mint", "ann"], {"BACKCHANNEL_REDIS_URL": "redis://127.0.0.1:1/0"}, 3, "127.0.0.1:1"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(words: list[str], env: dict[str, str], code: int, said: str) -> None:
    """What went wrong and what to mend, on stderr; never a stack trace, never a password."""
    done = cli(*words, **env)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_status_of_a_store_that_is_down_says_so(data_dir: Path) -> None:
    """Exit code 3, and the table still says where it looked; looking starts nothing."""
    for env in ({"BACKCHANNEL_DATA_DIR": str(data_dir)}, {"BACKCHANNEL_REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"}):
        done = cli("status", **env)
        assert done.returncode == 3, done.stderr
        assert "reachable     no" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr
    assert not (data_dir / "bus.sock").exists()


def test_a_key_is_printed_alone(data_dir: Path) -> None:
    """`$(backchannel keys mint ann)` is the key and nothing else; what to do with it is a note."""
    done = cli("keys", "mint", "ann", BACKCHANNEL_DATA_DIR=str(data_dir))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"bck_[\w-]+\.[\w-]+\n", done.stdout)
    assert "BACKCHANNEL_API_KEY" in done.stderr
    assert done.stdout.strip() not in done.stderr


def test_whoever_has_the_store_mints_while_minting_is_closed(data_dir: Path) -> None:
    """Closed to those who ask over HTTP; the operator on the machine itself runs the bus."""
    done = cli("keys", "mint", "ann", BACKCHANNEL_DATA_DIR=str(data_dir), BACKCHANNEL_PUBLIC_MINTING="false")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bck_")


def serving(*options: str, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "api.cli", "serve", *options]
    return subprocess.Popen(command, cwd=ROOT, env=clean(**env), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_serve_says_where_it_is_and_how_to_connect(data_dir: Path) -> None:
    """What it prints works when pasted: the address answers, the lines name it, the socket is there; SIGTERM ends it with 0."""
    with serving("--port", "0", BACKCHANNEL_DATA_DIR=str(data_dir)) as server:
        try:
            assert server.stdout
            printed = ""
            while "Stop: Ctrl-C" not in printed and (line := server.stdout.readline()):
                printed += line
            address = re.search(r"serves (http://127\.0\.0\.1:\d+)", printed)
            assert address, printed
            assert httpx.get(f"{address[1]}/ready").status_code == 200
            assert f"claude mcp add backchannel -e BACKCHANNEL_BASE_URL={address[1]} -- " in printed
            assert f"{address[1]}/mcp --header 'Authorization: Bearer ${{BACKCHANNEL_API_KEY}}'" in printed
            assert f"redis-cli -s {data_dir}/bus.sock" in printed
            status = cli("status", BACKCHANNEL_DATA_DIR=str(data_dir))
            assert (status.returncode, status.stderr) == (0, "")
            assert "reachable     yes" in status.stdout
            remote = cli("status", BACKCHANNEL_BASE_URL=address[1])
            assert remote.returncode == 0, remote.stderr
        finally:
            server.send_signal(signal.SIGTERM)
            _, notes = server.communicate(timeout=10)
    assert server.returncode == 0, notes


def test_a_port_in_use_is_one_line() -> None:
    """The port is named, and no stack trace hides it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serving("--port", port, BACKCHANNEL_REDIS_URL="memory://cli") as server:
            printed, notes = server.communicate(timeout=30)
    assert server.returncode == 1
    assert printed == ""
    assert port in notes
    assert "Traceback" not in notes


def test_stop_ends_the_embedded_store(data_dir: Path) -> None:
    """A store that a killed process left behind is stopped by name of its directory, and a second stop has nothing to do."""
    with serving("--port", "0", BACKCHANNEL_DATA_DIR=str(data_dir)) as server:
        assert server.stdout
        assert server.stdout.readline()
        server.kill()
        server.communicate(timeout=10)
    said = [cli("stop", BACKCHANNEL_DATA_DIR=str(data_dir)) for _ in range(2)]
    assert [done.returncode for done in said] == [0, 0]
    assert "stopped" in said[0].stderr
    assert "no embedded store is running" in said[1].stderr
    assert cli("status", BACKCHANNEL_DATA_DIR=str(data_dir)).returncode == 3
