"""The official conformance suite against the MCP endpoint of the HTTP API, in both eras of the protocol."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tools import mcp_clients

from .conftest import Api, ran
from .scenarios import BY_VERSION, EXCUSED, PASS

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("from_npm")]
_SUITE = "@modelcontextprotocol/conformance"


def conformance(*arguments: str) -> list[str | Path]:
    return [mcp_clients.node(), mcp_clients.package(_SUITE) / "dist" / "index.js", *arguments]


@pytest.mark.parametrize("version", list(BY_VERSION))
async def test_every_scenario_that_applies_passes(api: Api, version: str, tmp_path: Path) -> None:
    """No check of a scenario that the table counts as one fails; what is skipped is optional."""
    results = tmp_path / "results"
    command = conformance("server", "--url", f"{api.open_url}/mcp", "--suite", "all", "--spec-version", version)
    ended = await ran([*command, "--output-dir", results], dict(os.environ), tmp_path)
    assert "=== SUMMARY ===" in ended.out, ended
    found = {name_of(folder): checks(folder) for folder in results.iterdir()}
    wrong = {
        scenario: failed
        for scenario, applies in BY_VERSION[version].items()
        if applies == PASS and (failed := [check for check in found[scenario] if not is_good(check)])
    }
    assert not wrong, json.dumps(wrong, indent=1)
    passed = {scenario: [check["id"] for check in found[scenario] if check["status"] == "SUCCESS"] for scenario in found}
    assert all(passed[scenario] for scenario, applies in BY_VERSION[version].items() if applies == PASS)
    print(f"{version}: {sum(applies == PASS for applies in BY_VERSION[version].values())} scenarios")


def name_of(results: Path) -> str:
    """The scenario whose results these are: its folder's name, without what kind it is and when it was."""
    found = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", results.name)
    assert found, results.name
    return found[1]


def checks(results: Path) -> list[dict[str, Any]]:
    return json.loads((results / "checks.json").read_text(encoding="utf-8"))


def is_good(check: dict[str, Any]) -> bool:
    return check["status"] in ("SUCCESS", "INFO", "SKIPPED") or check["id"] in EXCUSED


async def test_the_table_knows_every_scenario(tmp_path: Path) -> None:
    """A newer suite brings new scenarios: whether they apply is to be said, not to be overlooked."""
    ended = await ran(conformance("list", "--server"), dict(os.environ), tmp_path)
    listed = re.findall(r"^  - (\S+) \[(.*)\]$", ended.out, re.MULTILINE)
    for version, table in BY_VERSION.items():
        assert {name for name, versions in listed if version in versions.split(",")} == set(table)
