"""Bad input is a 4xx that names the field and stores nothing; never a 500, and never a wait."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.app import create_app
from bus import Settings

from .bodies import BODIES, READS_A_BODY
from .fields import MESSAGES, TASKS
from .headers import FOREIGN, HEADERS, NARROW
from .paths import PATHS
from .queries import QUERIES
from .settings import CALLERS, CHANNELS, KEYS, SCHEMAS
from .world import Answer, Row, World

ROWS = [*TASKS, *MESSAGES, *CHANNELS, *SCHEMAS, *CALLERS, *KEYS, *BODIES, *QUERIES, *PATHS, *HEADERS, *NARROW, *FOREIGN]
MOST_BYTES = 2_000
"""Of an answer: what was sent is not sent back whole."""
DOCUMENT: Mapping[str, Any] = create_app(Settings(redis_url="memory://document")).openapi()


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def refused(answer: Answer, status: int, code: str, world: World) -> dict[str, Any]:
    """The error body, once it is the expected one in the contract's shape."""
    assert (answer.status, answer.body[:200]) == (status, answer.body[:200])
    body = answer.json()
    assert body["error"] == code, body
    assert body["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["documentation_url"].endswith(f"/docs/errors.md#{code.replace('_', '-')}")
    assert len(answer.body) < MOST_BYTES, "the answer repeats what was sent"
    assert not [name for name in ("key", "other_key", "narrow_key", "admin_token") if world.names[name].encode() in answer.body]
    return body


def _keyless() -> Iterator[Row]:
    for method, path, operation in operations():
        if security := operation.get("security"):
            code = "admin_unauthorized" if "AdminToken" in security[0] else "unauthorized"
            yield Row(
                method, re.sub(r"\{\w+\}", "%00", path), b"\xff", 401, code, None, [("X-API-Key", "x"), ("X-Admin-Token", "x")]
            )


KEYLESS = list(_keyless())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_bad_input_is_refused_and_stores_nothing(row: Row, untouched: World) -> None:
    """The answer has the code, names the field for a machine and for a reader, and the store is as it was."""
    found = refused(untouched.ask(row), row.status, row.code, untouched)
    if row.field is not None:
        assert found["field"] == row.field
        assert row.field in found["message"]


@pytest.mark.parametrize("row", KEYLESS, ids=str)
def test_whoever_has_no_key_learns_nothing_else(row: Row, untouched: World) -> None:
    """Without a good key, or the admin's token, the path and the body are not even looked at."""
    refused(untouched.ask(row), row.status, row.code, untouched)


def test_every_body_that_is_read_is_in_the_table() -> None:
    """A new route's body is tried as the others are."""
    tried = {re.sub(r"(?<=/)(\$\w+|work|locked|agent)(?=/|$)", "*", route) for route in READS_A_BODY}
    read = {
        f"{method} {re.sub(r'{[a-z_]+}', '*', path)}" for method, path, operation in operations() if "requestBody" in operation
    }
    assert tried == read


def test_the_size_is_told_with_the_limit(untouched: World) -> None:
    """Extras stand at the top level: what was received, and what would have been taken."""
    row = Row("POST", "/v1/tasks/post", {"channel": "c", "content": "é" * 32_769}, 422, "content_too_large")
    found = refused(untouched.ask(row), row.status, row.code, untouched)
    assert (found["max_content_bytes"], found["received_bytes"]) == (65_536, 65_538)


def test_unknown_fields_are_ignored(world: World) -> None:
    """A newer client's extras do not stop it."""
    sent = {"channel": "extras", "content": "x", "colour": "red", "metadata": None}
    answer = world.ask(Row("POST", "/v1/tasks/post", sent, 201, ""))
    assert (answer.status, answer.json()["message"]["metadata"]) == (201, {})
