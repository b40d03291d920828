"""A version of Backchannel does not touch data that a newer one wrote."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bus import Settings, connect
from bus.streams import schema_version
from bus.streams.schema_version import SCHEMA, SchemaTooNew
from tests.servers import Server, server
from tests.test_cli import clean, cli

pytestmark = pytest.mark.anyio
NEWER = str(SCHEMA + 1)
SOON = 10.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def noted(store: Server) -> Any:
    with store.client() as client:
        return client.hget("bc:config", "schema")


def note(store: Server, schema: str) -> None:
    with store.client() as client:
        client.hset("bc:config", "schema", schema)


async def test_a_new_bus_notes_its_schema_at_once(tmp_path: Path) -> None:
    """Whoever comes later, of whatever version, can tell what the data is."""
    with server(tmp_path) as store:
        async with connect(Settings(redis_url=store.url)):
            assert noted(store) == str(SCHEMA)


@pytest.mark.parametrize("schema", [NEWER, "2.5", "next"])
async def test_data_of_a_newer_version_is_refused(tmp_path: Path, schema: str) -> None:
    """Before anything is read or written, and the message says what to do; the note stays as it was."""
    with server(tmp_path) as store:
        note(store, schema)
        with pytest.raises(SchemaTooNew, match="newer version wrote it"):
            async with connect(Settings(redis_url=store.url)):
                pass
        with store.client() as client:
            assert client.keys() == ["bc:config"]
        assert noted(store) == schema


@pytest.mark.parametrize("schema", ["0", str(SCHEMA)])
async def test_data_of_this_or_an_older_version_is_used(tmp_path: Path, schema: str) -> None:
    """An upgrade needs no step of its own."""
    with server(tmp_path) as store:
        note(store, schema)
        async with connect(Settings(redis_url=store.url)) as bus:
            assert (await bus.credentials.issue("ann")).api_key


def test_the_commands_say_so_in_one_line(tmp_path: Path) -> None:
    """`backchannel` and `backchannel-mcp` stop with the reason; no stack trace."""
    with server(tmp_path) as store:
        note(store, NEWER)
        minting = cli("keys", "mint", "ann", BACKCHANNEL_REDIS_URL=store.url)
        session = subprocess.run(
            [sys.executable, "-m", "mcp_server"],
            env=clean(BACKCHANNEL_REDIS_URL=store.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    for done in (minting, session):
        assert done.returncode == 2
        assert f"schema '{NEWER}'" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_server_does_not_start_on_it(tmp_path: Path) -> None:
    """It ends before it listens, and its log says why."""
    with server(tmp_path) as store:
        note(store, NEWER)
        done = cli("serve", "--port", "0", BACKCHANNEL_REDIS_URL=store.url)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"schema '{NEWER}'" in done.stderr


async def _ends(settings: Settings, then: Callable[[], None]) -> None:
    async with connect(settings), asyncio.timeout(SOON):
        then()
        await asyncio.get_running_loop().create_future()


async def test_a_process_that_runs_ends_when_the_store_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the one that started while the store was down: no old process goes on writing beside the new ones."""
    monkeypatch.setattr(schema_version, "REPEAT_SECONDS", 0.05)
    with server(tmp_path) as store:
        with pytest.raises(SchemaTooNew):
            await _ends(Settings(redis_url=store.url), lambda: note(store, NEWER))
        store.kill()

        def start() -> None:
            store.start()

        with pytest.raises(SchemaTooNew):
            await _ends(Settings(redis_url=store.url), start)
