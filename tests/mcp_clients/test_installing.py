"""The MCP clients from npm: pinned, from wherever the machine gets its packages, and skipped in plain words where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import mcp_clients


def test_a_machine_without_npm_s_packages_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stamp, no half of an installation that counts as one: the tests are skipped, and it is tried again next time."""
    monkeypatch.setenv("MCP_CLIENTS_FOLDER", str(tmp_path / "clients"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    why = mcp_clients.install()
    assert why is not None
    assert "ECONNREFUSED" in why
    assert "clients/.installed` installs them" in (mcp_clients.missing() or "")


def test_other_pins_are_another_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older checkout installed does not stand in for what this one names."""
    monkeypatch.setenv("MCP_CLIENTS_FOLDER", str(tmp_path))
    (tmp_path / ".installed").write_text("of other pins", encoding="utf-8")
    assert mcp_clients.missing() is not None


def test_the_lock_names_versions_and_checksums_but_no_place() -> None:
    """Every package has its checksum, and none the address of a registry, which is each machine's own."""
    lock = json.loads((mcp_clients.PINS / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
    pinned = json.loads((mcp_clients.PINS / "package.json").read_text(encoding="utf-8"))
    for name, version in {**pinned["dependencies"], **pinned["optionalDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version
