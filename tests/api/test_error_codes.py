"""Every error leads to words that help: documentation_url is a heading of errors.md, whatever the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.discovery.error_codes import INPUT, NEXT, OF_THE_SERVER, error_codes
from api.errors import STATUS
from bus import Settings, errors

from .conftest import Agent

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent


def _codes_in_the_code() -> set[str]:
    """Every code that is written out where something is refused."""
    found: set[str] = set()
    for folder in ("bus", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    named = [key.value for key in node.keywords if key.arg == "code"]
                    named += node.args[:1] if ast.unparse(node.func).rpartition(".")[2] == "Refused" else []
                    found |= {each.value for each in named if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


OF_THE_CLIENT = {"unsafe_key_file", "unsupported_field"}
"""Codes that never are an answer of this server: they are raised where the client runs."""


async def test_every_code_has_its_anchor(http: httpx.AsyncClient) -> None:
    """Whatever error an answer carries, its documentation_url leads to a heading of errors.md."""
    page = (await http.get("/docs/errors.md")).text
    headings = re.findall(r"^## (\S+)$", page, re.MULTILINE)
    assert len(headings) == len(set(headings))
    codes = set(STATUS) | set(errors.BY_CODE) | (_codes_in_the_code() - OF_THE_CLIENT)
    openapi = create_app(Settings(redis_url="memory://")).openapi()
    for methods in openapi["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                codes |= set(re.findall(r"`(\w+)`", answer["description"])) if int(status) >= 400 else set()
    assert {code.replace("_", "-") for code in codes} - set(headings) == set()
    assert all(
        code.replace("-", "_") in STATUS or code.startswith(("invalid-", "missing-", "unsupported-", "too-"))
        for code in headings
    )


async def test_a_live_error_leads_to_its_anchor(http: httpx.AsyncClient, ann: Agent) -> None:
    """documentation_url can be followed as it is."""
    for answer in (
        await http.get("/v1/keys/me"),
        await ann.post("/v1/tasks/claim", json={"channel": "not there"}),
        await ann.post("/v1/tasks/claim", json={}),
        await ann.post("/v1/tasks/post", json={"channel": "x", "content": "y", "delay_seconds": -1}),
        await ann.post("/v1/tasks/post", json={"channel": "x", "content": ["y"]}),
        await ann.get("/v1/channels?limit=many"),
    ):
        url, _, anchor = answer.json()["documentation_url"].partition("#")
        page = await http.get(url)
        assert page.status_code == 200
        assert f"\n## {anchor}\n\n`{answer.json()['error']}`, status {answer.status_code}." in page.text


def test_every_code_says_what_to_do_next() -> None:
    """Complete, and nothing left over from a code that is no more."""
    assert set(NEXT) == set(STATUS)
    assert set(OF_THE_SERVER) == set(STATUS) - set(errors.BY_CODE)
    openapi = create_app(Settings(redis_url="memory://")).openapi()
    listed = error_codes(openapi)
    assert [each for each in listed if not each.happened.endswith(".") or not each.next.endswith(".")] == []
    assert {each.code for each in listed} >= set(INPUT) | set(STATUS)
