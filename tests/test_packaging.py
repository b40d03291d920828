"""What is published holds what it needs, and the deployment files say what the documents say."""

from __future__ import annotations

import tomllib
from email.parser import Parser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

import bus
from bus import Settings
from tools.try_wheel import build, missing

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def test_the_wheel_carries_every_script_and_marker(wheel: Path) -> None:
    """An installed bus has its Lua scripts, and its types are seen."""
    names = ZipFile(wheel).namelist()
    assert missing(wheel) == []
    assert {"bus/py.typed", "api/py.typed", "mcp_server/py.typed", "bus/scripts/post.lua"} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "bench/", "tools/"))]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name, version, licence and console scripts, as the documents name them."""
    archive = ZipFile(wheel)
    (info,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"], metadata["License-Expression"]) == (
        "backchannel-bus",
        bus.__version__,
        "MIT",
    )
    assert {"backchannel = api.cli:main", "backchannel-mcp = mcp_server.__main__:main"} <= set(
        archive.read(f"{info}/entry_points.txt").decode().splitlines()
    )
    assert f"{info}/licenses/LICENSE" in archive.namelist()


def test_every_requirement_has_a_lower_bound() -> None:
    """What was never tried is not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = [*project["project"]["dependencies"], *project["dependency-groups"]["test"], *project["dependency-groups"]["lint"]]
    assert not [requirement for requirement in listed if ">=" not in requirement]


def test_compose_keeps_what_is_posted(compose: dict[str, Any]) -> None:
    """Redis writes everything down, evicts nothing, and tells of what happens."""
    redis = compose["services"]["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--notify-keyspace-events"] == "K$$t"  # compose reads $$ as $
    assert redis["volumes"] == ["redis:/data"]
    assert "redis" in compose["volumes"]
    assert "ports" not in redis
    assert redis["healthcheck"]["test"] == ["CMD", "redis-cli", "ping"]


def test_compose_serves_this_machine_only(compose: dict[str, Any]) -> None:
    """The API is published on the loopback address unless somebody decides otherwise, with nothing it could write to."""
    api = compose["services"]["api"]
    assert api["ports"] == ["${BACKCHANNEL_PUBLISH:-127.0.0.1:8080}:8080"]
    assert api["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert api["read_only"] is True
    assert api["cap_drop"] == ["ALL"]
    assert api["environment"]["BACKCHANNEL_REDIS_URL"] == "redis://redis:6379/0"
    fields = {f"BACKCHANNEL_{name.upper()}" for name in Settings.model_fields}
    assert set(api["environment"]) <= fields


def test_the_image_runs_as_nobody_in_particular() -> None:
    """Not as root, without build tools, and with a health check that asks the API."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == ["FROM python:3.13-slim AS build", "FROM python:3.13-slim"]
    assert "USER 10001:10001" in lines
    assert any(line.startswith("  CMD [") and "/health" in line for line in lines)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    copied = {word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]}
    assert copied == kept
