"""What OpenAPI says of the Idempotency-Key header is what happens to it."""

from __future__ import annotations

from typing import Any

import pytest

from api.app import create_app
from api.idempotency import NOT_NEEDED
from bus import Settings

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


def _declared() -> dict[str, dict[str, Any]]:
    """Of each operation that takes the header, how it may look."""
    paths = create_app(Settings(redis_url="memory://declared")).openapi()["paths"]
    return {
        operation["operationId"]: parameter["schema"]
        for path in paths.values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }


def test_a_pattern_is_declared_where_it_is_asked_for() -> None:
    """Whoever checks requests by OpenAPI refuses no key that the server takes, and takes none that it refuses."""
    declared = _declared()
    assert declared.keys() >= NOT_NEEDED
    assert {name for name, schema in declared.items() if "pattern" not in schema} == NOT_NEEDED


async def test_where_none_is_needed_any_is_taken(ann: Agent, channel: str) -> None:
    """Published clients send names with spaces; where the key has an effect they are told."""
    odd = {"Idempotency-Key": "actor-Ann Smith"}
    answer = await ann.post("/v1/actors", json={"name": f"ann-{channel}"}, headers=odd)
    assert answer.status_code < 300, answer.text
    assert answer.headers["Idempotency-Key"] == "actor-Ann Smith"
    made = await ann.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "open"}, headers=odd)
    assert made.status_code == 201, made.text
    for path, body in ((f"/v1/channels/{channel}/messages", {"content": "x"}), ("/v1/sessions", {"name": "s"})):
        refused(await ann.post(path, json=body, headers=odd), 422, "invalid_idempotency_key")
