"""`backchannel doctor`: each thing that can be wrong is said, with its fix, and decides the exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import bus
from api.cli import app
from tests.servers import Server, free_port, server
from tests.test_cli import cli, data_dir, serving

__all__ = ["data_dir"]
PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("doctor"), tcp=True) as one:
        yield one


def examined(*words: str, **env: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the checks by name."""
    env.setdefault("BACKCHANNEL_PORT", str(free_port()))  # where no server is
    unset = {name: None for name in os.environ if name.startswith("BACKCHANNEL_")}
    done = CliRunner().invoke(app, ["doctor", "--json", *words], env={**unset, **env})
    found = json.loads(done.stdout)
    assert PASSWORD not in done.output
    assert all((each["level"] == "ok") == (each["fix"] is None) for each in found["checks"])
    return done.exit_code, {each["check"]: each for each in found["checks"]}


def levels(found: dict[str, Any], *names: str) -> list[str]:
    return [found[name]["level"] for name in names]


def test_a_machine_where_nothing_was_ever_set_is_well(data_dir: Path) -> None:
    """The embedded store is started, looked at and left: all fine, exit code 0, and it says what it saw."""
    code, found = examined(BACKCHANNEL_DATA_DIR=str(data_dir))
    assert code == 0
    assert {name for name, each in found.items() if each["level"] != "ok"} <= {"latency"}
    assert "everysec" in found["persistence"]["said"]
    assert "free" in found["lock"]["said"]
    assert {"version", "last save", "eviction policy", "notifications", "clock", "schema", "MCP endpoint"} <= found.keys()
    assert cli("status", BACKCHANNEL_DATA_DIR=str(data_dir)).returncode == 3


def test_people_get_a_line_each_with_the_fix_below(store: Server) -> None:
    """OK, WARN or FAIL first; a summary last."""
    with store.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        done = cli("doctor", BACKCHANNEL_REDIS_URL=store.url, BACKCHANNEL_PORT=str(free_port()))
    finally:
        with store.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
    assert done.returncode == 1
    assert re.search(r"^FAIL +eviction policy +allkeys-lru.*\n +fix: CONFIG SET maxmemory-policy noeviction", done.stdout, re.M)
    assert re.search(r"^OK +persistence ", done.stdout, re.M)
    assert re.search(r"^\d+ fine, \d+ doubtful, 1 broken$", done.stdout, re.M)


@pytest.mark.parametrize(
    ("setting", "value", "check", "level", "fix"),
    [
        ("maxmemory-policy", "volatile-ttl", "eviction policy", "fail", "noeviction"),
        ("appendonly", "no", "persistence", "fail", "appendonly yes"),
        ("appendfsync", "no", "persistence", "warn", "everysec"),
        ("maxmemory", "1gb", "memory", "ok", None),
        ("maxmemory", "1mb", "memory", "fail", "raise maxmemory"),
        ("notify-keyspace-events", "Kx", "notifications", "warn", "K$t"),
        ("notify-keyspace-events", "KA", "notifications", "ok", None),
    ],
)
def test_a_setting_is_judged(store: Server, setting: str, value: str, check: str, level: str, fix: str | None) -> None:
    """What loses tasks is FAIL, what may is WARN."""
    with store.client() as client:
        before = client.config_get(setting)[setting]
        client.config_set(setting, value)
        try:
            code, found = examined(BACKCHANNEL_REDIS_URL=store.url)
        finally:
            client.config_set(setting, before)
    assert found[check]["level"] == level
    assert fix is None or fix in found[check]["fix"]
    assert code == (1 if level == "fail" else 0)


def test_what_was_evicted_is_told(tmp_path: Path) -> None:
    """Also after the policy was mended: somebody has to look for what is missing."""
    with server(tmp_path, "--maxmemory", "2mb", "--maxmemory-policy", "allkeys-random") as small, small.client() as client:
        for number in range(40):
            client.mset({f"k{number}-{part}": "x" * 1000 for part in range(50)})
        client.config_set("maxmemory-policy", "noeviction")
        code, found = examined(BACKCHANNEL_REDIS_URL=small.url)
    assert (code, found["evicted"]["level"]) == (1, "fail")


def test_warnings_count_when_they_are_asked_to(store: Server) -> None:
    """`--strict` is for who wants a pipeline to stop."""
    assert examined(BACKCHANNEL_REDIS_URL=store.url)[0] == 0  # it has no maxmemory: a warning
    assert examined("--strict", BACKCHANNEL_REDIS_URL=store.url)[0] == 1


def test_a_server_that_does_not_tell_is_doubtful(store: Server) -> None:
    """Where INFO and CONFIG are denied it says what to grant, and still checks what it can. The password is nowhere."""
    with store.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-config", "-info")
        code, found = examined(BACKCHANNEL_REDIS_URL=f"redis://app:{PASSWORD}@127.0.0.1:{store.port}/0")
        assert code == 0
        assert levels(found, "info", "persistence", "eviction policy", "notifications") == ["warn"] * 4
        assert "+info" in found["info"]["fix"]
        assert levels(found, "schema", "clock") == ["ok"] * 2
        client.execute_command("ACL", "SETUSER", "app", "+info")
        _, found = examined(BACKCHANNEL_REDIS_URL=f"redis://app:{PASSWORD}@127.0.0.1:{store.port}/0")
        assert levels(found, "version", "eviction policy", "persistence") == ["ok", "ok", "warn"]
        assert "+config|get" in found["persistence"]["fix"]
        client.execute_command("ACL", "DELUSER", "app")


def test_a_wrong_password_is_a_failure_without_it(store: Server) -> None:
    """What the store says is shown, what was sent to it is not."""
    code, found = examined(BACKCHANNEL_REDIS_URL=f"redis://nobody:{PASSWORD}@127.0.0.1:{store.port}/0")
    assert (code, found["reachable"]["level"]) == (1, "fail")


def test_a_store_that_is_away_is_a_failure() -> None:
    """With the address it was looked for at."""
    port = free_port()
    code, found = examined(BACKCHANNEL_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert (code, found["reachable"]["level"]) == (1, "fail")
    assert str(port) in found["reachable"]["said"]


def test_data_of_a_newer_version_is_a_failure(store: Server) -> None:
    """This version would refuse to run on it."""
    with store.client() as client:
        client.hset("new:config", "schema", "99")
    code, found = examined(BACKCHANNEL_REDIS_URL=store.url, BACKCHANNEL_PREFIX="new:")
    assert (code, found["schema"]["level"]) == (1, "fail")


def test_a_primary_with_replicas_and_no_minimum_is_doubtful(store: Server, tmp_path: Path) -> None:
    """And a replica in place of the primary is a failure."""
    with server(tmp_path, "--replicaof", f"127.0.0.1 {store.port}", tcp=True) as replica, store.client() as client:
        while client.info("replication")["connected_slaves"] != 1:
            pass
        assert examined(BACKCHANNEL_REDIS_URL=store.url)[1]["replication"]["level"] == "warn"
        client.config_set("min-replicas-to-write", 1)
        assert examined(BACKCHANNEL_REDIS_URL=store.url)[1]["replication"]["level"] == "ok"
        client.config_set("min-replicas-to-write", 0)
        code, found = examined(BACKCHANNEL_REDIS_URL=replica.url)
    assert (code, found["replication"]["level"]) == (1, "fail")


def test_a_socket_that_a_killed_server_left_is_told(data_dir: Path) -> None:
    """Its data is intact; the next start, here the doctor's own, replaces it."""
    env = {"BACKCHANNEL_DATA_DIR": str(data_dir)}
    with serving("--port", "0", **env) as running:
        assert running.stdout
        assert running.stdout.readline()
        code, found = examined(**env)
        assert (code, found["lock"]["level"]) == (0, "ok")
        assert str(running.pid) in found["lock"]["said"]
        running.kill()
        running.communicate(timeout=10)
    pid = re.search(r"^pid +(\d+)", cli("status", **env).stdout, re.M)
    assert pid
    subprocess.run(["kill", "-9", pid[1]], check=True)
    while subprocess.run(["kill", "-0", pid[1]], check=False, capture_output=True).returncode == 0:
        pass
    code, found = examined(**env)
    assert (code, found["lock"]["level"], found["reachable"]["level"]) == (0, "warn", "ok")


def test_a_server_over_http_is_looked_at_from_outside(tmp_path: Path) -> None:
    """Alive, ready, its version, the API key and MCP; and on the machine itself, beside its store."""
    with server(tmp_path) as store, serving("--port", "0", BACKCHANNEL_REDIS_URL=store.url) as running:
        try:
            assert running.stdout
            address = re.search(r"http://127\.0\.0\.1:(\d+)", running.stdout.readline())
            assert address
            env = {"BACKCHANNEL_BASE_URL": address[0], "BACKCHANNEL_CONFIG_DIR": str(tmp_path)}
            code, found = examined(**env)
            assert (code, found["server version"]["said"]) == (0, bus.__version__)
            assert levels(found, "reachable", "ready", "API key", "MCP endpoint") == ["ok"] * 4
            api_key = cli("keys", "mint", "ann", **env).stdout.strip()
            code, found = examined(BACKCHANNEL_API_KEY=api_key, **env)
            assert (code, found["MCP endpoint"]["said"].endswith("speaks MCP")) == (0, True)
            assert api_key not in json.dumps(found)
            code, found = examined(BACKCHANNEL_API_KEY=f"bck_nobody.{PASSWORD}", **env)
            assert (code, *levels(found, "API key", "MCP endpoint")) == (1, "fail", "fail")
            code, found = examined(BACKCHANNEL_REDIS_URL=store.url, BACKCHANNEL_PORT=address[1])
            assert (code, "asks for an API key" in found["MCP endpoint"]["said"]) == (0, True)
            store.kill()
            assert levels(examined(**env)[1], "reachable", "ready") == ["ok", "fail"]
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=10)
    assert examined(**env)[1]["reachable"]["level"] == "fail"
