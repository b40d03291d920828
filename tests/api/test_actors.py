"""Actors over HTTP: the contract's shapes and statuses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import Agent, claimed, posted, refused

pytestmark = pytest.mark.anyio


async def test_an_actor_is_made_and_found(ann: Agent, bob: Agent, channel: str) -> None:
    """201 in the contract's shape; `owner_id` is the label of its key, for whoever looks. Again it changes what is given."""
    me = (await ann.get("/v1/keys/me")).json()
    made = await ann.post("/v1/actors", json={"name": channel, "description": "writes", "metadata": {"tags": []}})
    actor = made.json()
    assert made.status_code == 201
    assert actor == {
        "id": channel, "owner_id": me["owner_id"], "created_by_key_id": me["key_id"], "name": channel,
        "description": "writes", "metadata": {"tags": []}, "aliases": [], "created_at": actor["created_at"],
        "updated_at": actor["created_at"],
    }  # fmt: skip
    assert (await bob.get(f"/v1/actors/{channel}")).json() == actor
    assert (await ann.post("/v1/actors", json={"name": channel})).json() == actor
    again = (await ann.post("/v1/actors", json={"name": channel, "description": "edits"})).json()
    assert (again["description"], again["metadata"]) == ("edits", {"tags": []})
    refused(await bob.post("/v1/actors", json={"name": channel}), 403, "actor_forbidden")


async def test_a_key_s_label_is_an_actor(ann: Agent, bob: Agent) -> None:
    """The published clients claim under it before they ever make it."""
    me = (await ann.get("/v1/keys/me")).json()
    found = (await bob.get(f"/v1/actors/{me['owner_id']}")).json()
    assert (found["name"], found["owner_id"], found["created_by_key_id"]) == (me["owner_id"], me["owner_id"], me["key_id"])


async def test_an_alias_is_another_name(ann: Agent, bob: Agent, channel: str) -> None:
    """201 with the actor; found and claimed by it, whatever characters it has."""
    await ann.post("/v1/actors", json={"name": channel})
    alias = f"{channel} the editor/ü"
    added = await ann.post(f"/v1/actors/{channel}/aliases", json={"alias": alias})
    assert (added.status_code, added.json()["id"], added.json()["aliases"]) == (201, channel, [alias])
    assert (await bob.get(f"/v1/actors/{quote(alias, safe='')}")).json() == added.json()
    await posted(bob, channel)
    assert (await claimed(ann, channel, actor=alias))["claimed"]["claimed_by"] == {"id": channel, "name": channel}
    refused(await bob.post(f"/v1/actors/{channel}/aliases", json={"alias": f"{channel}-b"}), 403, "actor_forbidden")
    refused(await bob.post(f"/v1/actors/{channel}-none/aliases", json={"alias": "x"}), 404, "actor_not_found")
    await bob.post("/v1/actors", json={"name": f"{channel}-bob"})
    for taken in (alias, channel):
        refused(await bob.post(f"/v1/actors/{channel}-bob/aliases", json={"alias": taken}), 409, "alias_conflict")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_field"), ({"alias": None}, "invalid_string"), ({"alias": ""}, "invalid_string"),
        ({"alias": "  "}, "invalid_string"), ({"alias": ["x"]}, "invalid_string"), ({"alias": "_"}, "invalid_actor_name"),
        ({"alias": "x" * 201}, "invalid_actor_name"), ({"alias": "a\u202eb"}, "invalid_actor_name"),
    ],
)  # fmt: skip
async def test_a_malformed_alias_is_refused(ann: Agent, channel: str, body: dict[str, Any], code: str) -> None:
    """422 with the field named."""
    await ann.post("/v1/actors", json={"name": channel})
    assert refused(await ann.post(f"/v1/actors/{channel}/aliases", json=body), 422, code)["field"] == "alias"
