"""Sessions over HTTP: the contract's shapes and statuses."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Agent, refused

pytestmark = pytest.mark.anyio


async def test_a_session_lives_its_life(ann: Agent, bob: Agent) -> None:
    """Made, listed, looked at, changed, forgotten; another key sees nothing of it."""
    made = await ann.post("/v1/sessions", json={"name": " review ", "state": {"article": 17, "tags": []}})
    session = made.json()
    assert made.status_code == 201
    assert session == {
        "id": session["id"], "name": "review", "state": {"article": 17, "tags": []}, "created_at": session["created_at"],
        "updated_at": session["created_at"], "expires_at": session["expires_at"],
    }  # fmt: skip
    path = f"/v1/sessions/{session['id']}"
    assert (await ann.get("/v1/sessions")).json() == {"data": [session]}
    assert (await ann.get(path)).json() == session
    assert (await bob.get("/v1/sessions")).json() == {"data": []}
    for method in ("GET", "PATCH", "DELETE"):
        refused(await bob.request(method, path), 404, "session_not_found")
    changed = await ann.patch(path, json={"state": {"article": 18, "page": None}})
    assert (changed.status_code, changed.json()["state"]) == (200, {"article": 18, "tags": [], "page": None})
    assert changed.json()["expires_at"] == session["expires_at"]
    deleted = await ann.delete(path)
    assert (deleted.status_code, deleted.json()) == (200, {"status": "deleted"})
    refused(await ann.get(path), 404, "session_not_found")
    refused(await ann.delete(path), 404, "session_not_found")


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"b": 2}, {"a": 1, "b": 2}), ({"name": "x"}, {"a": 1, "name": "x"}), ({}, {"a": 1}), ({"state": {}}, {"a": 1}),
        ({"state": None}, {"a": 1}), ({"state": {"a": {}}, "b": 2}, {"a": {}}), ({"a": None}, {"a": None}),
        ({"model_config": 1, "changes": 2}, {"a": 1, "model_config": 1, "changes": 2}),
    ],
)  # fmt: skip
async def test_a_change_is_the_state_or_the_whole_body(ann: Agent, body: dict[str, Any], state: dict[str, Any]) -> None:
    """The whole body only where it has no `state`."""
    made = (await ann.post("/v1/sessions", json={"name": "x", "state": {"a": 1}})).json()
    answer = await ann.patch(f"/v1/sessions/{made['id']}", json=body)
    assert (answer.status_code, answer.json()["state"], answer.json()["name"]) == (200, state, "x")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_field", "name"), ({"name": ""}, "invalid_string", "name"), ({"name": "  "}, "invalid_string", "name"),
        ({"name": None}, "invalid_string", "name"), ({"name": "x" * 201}, "invalid_string", "name"),
        ({"name": "x", "state": []}, "invalid_object", "state"), ({"name": "x", "state": "y"}, "invalid_object", "state"),
        ({"name": "x", "state": {"a": "y" * 20_000}}, "content_too_large", "state"),
    ],
)  # fmt: skip
async def test_a_malformed_session_is_refused(ann: Agent, body: dict[str, Any], code: str, field: str) -> None:
    """422 with the field named; the same rules hold for a change."""
    assert refused(await ann.post("/v1/sessions", json=body), 422, code)["field"] == field
    if field == "state":
        made = (await ann.post("/v1/sessions", json={"name": "x"})).json()
        answer = await ann.patch(f"/v1/sessions/{made['id']}", json={"state": body["state"]})
        assert refused(answer, 422, code)["field"] == field
