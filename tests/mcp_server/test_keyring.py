"""API keys on disk: readable by their user alone, one per bus, minted once, replaced only when dead."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import anyio
import pytest

from bus import Bus, Settings
from bus.errors import InvalidInput, Unauthorized
from bus.keyring import Keyring, identify, keyring

pytestmark = pytest.mark.anyio


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_first_call_mints_a_key_that_only_its_user_can_read(bus: Bus, settings: Settings) -> None:
    """`key` in the published client's format, 0600, in a directory of 0700; the next process uses it."""
    first = await identify(bus.credentials, settings, label="ann")
    file = settings.config_dir / "key"
    assert file.read_text() == f"{first.api_key}\n"
    assert mode(file) == 0o600
    assert mode(settings.config_dir) == 0o700
    assert first.label == "ann"
    assert await identify(bus.credentials, settings, label="somebody else") == first


async def test_the_environment_s_key_wins_and_is_never_replaced(bus: Bus, settings: Settings) -> None:
    """BACKCHANNEL_API_KEY is what its setter meant: a wrong one is an error, not a reason to mint."""
    issued = await bus.credentials.issue("env")
    stated = settings.model_validate({**settings.model_dump(), "api_key": issued.api_key})
    assert (await identify(bus.credentials, stated, label="ann")).key_id == issued.key_id
    wrong = settings.model_validate({**settings.model_dump(), "api_key": "bck_nobody.nothing"})
    with pytest.raises(Unauthorized):
        await identify(bus.credentials, wrong, label="ann")
    assert not settings.config_dir.exists()


async def test_a_key_that_the_bus_no_longer_knows_is_replaced_once(
    bus: Bus, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A wiped bus costs nobody a manual step; the log names the new key's id and no secret."""
    dead = await identify(bus.credentials, settings, label="ann")
    await bus.credentials.revoke(dead)
    with caplog.at_level(logging.INFO):
        fresh = await identify(bus.credentials, settings, label="ann")
    assert fresh.key_id != dead.key_id
    assert "does not know the kept API key" in caplog.text
    assert fresh.key_id in caplog.text
    for caller in (dead, fresh):
        assert caller.api_key is not None
        assert caller.api_key.partition(".")[2] not in caplog.text
    caplog.clear()
    assert await identify(bus.credentials, settings, label="ann") == fresh
    assert not caplog.text


def test_keys_of_different_buses_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """Each bus finds its own key again, and never sees another's."""
    one, two, three = (Keyring(tmp_path, where, remote=where.startswith("http")) for where in ("http://a", "http://b", "local"))
    assert one.read() is None
    one.keep("bck_a.1")
    assert two.read() is None
    two.keep("bck_b.2")
    assert three.read() is None
    three.keep("bck_c.3")
    assert [ring.read() for ring in (one, two, three)] == ["bck_a.1", "bck_b.2", "bck_c.3"]
    one.keep("bck_a.4")
    assert [ring.read() for ring in (one, two, three)] == ["bck_a.4", "bck_b.2", "bck_c.3"]
    assert (tmp_path / "key").read_text() == "bck_a.1\n"
    assert {mode(path) for path in tmp_path.rglob("*") if path.is_file()} == {0o600}
    assert mode(tmp_path / "keys") == 0o700


async def test_a_key_file_of_the_published_client_is_tried_and_left_alone(bus: Bus, settings: Settings) -> None:
    """Its key is used where the server knows it; where not, the new key goes elsewhere. A local bus never sees it."""
    remote = settings.model_copy(update={"base_url": "http://bus.example"})
    issued = await bus.credentials.issue("from before")
    settings.config_dir.mkdir()
    file = settings.config_dir / "key"
    file.write_text(issued.api_key)
    file.chmod(0o644)
    assert (await identify(bus.credentials, remote, label="ann")).key_id == issued.key_id
    assert mode(file) == 0o600
    assert keyring(settings).read() is None
    file.write_text("bck_unknown.nowhere")
    assert (await identify(bus.credentials, remote, label="ann")).label == "ann"
    assert file.read_text() == "bck_unknown.nowhere"


def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    """A link could make us read or write what is not ours."""
    target = tmp_path / "target"
    target.write_text("bck_x.y")
    ring = Keyring(tmp_path / "config", "http://a", remote=True)
    ring.keep("bck_a.1")
    (tmp_path / "config" / "key").unlink()
    (tmp_path / "config" / "key").symlink_to(target)
    with pytest.raises(InvalidInput, match="symbolic link"):
        ring.read()
    assert target.read_text() == "bck_x.y"


async def test_sessions_that_start_at_once_share_one_key(bus: Bus, settings: Settings) -> None:
    """Ten first calls mint one key: whoever holds the lock mints, the others find it."""
    found: list[str] = []

    async def start(number: int) -> None:
        found.append((await identify(bus.credentials, settings, label=f"agent-{number}")).key_id)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(start, number)
    assert len(found) == 10
    assert len(set(found)) == 1


async def test_a_label_in_use_gets_an_ending(bus: Bus, settings: Settings) -> None:
    """Two machines with the same label on one bus: the second key's label ends in four random characters."""
    await bus.credentials.issue("planner")
    caller = await identify(bus.credentials, settings, label="planner")
    assert caller.label.startswith("planner-")
    assert len(caller.label) == len("planner-") + 4


async def test_a_directory_that_cannot_be_written_costs_only_the_memory(
    bus: Bus, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A container with a read-only home works: the key ends with the process, and the log says so."""
    (tmp_path / "file").write_text("")
    homeless = settings.model_copy(update={"config_dir": tmp_path / "file" / "config"})
    caller = await identify(bus.credentials, homeless, label="ann")
    assert caller.key_id in caplog.text
    assert "it ends with this process" in caplog.text
