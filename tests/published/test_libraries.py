"""Every public method of the published Python clients, each against this server, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import ADMIN_TOKEN, a_server, drive

pytestmark = pytest.mark.anyio


def contents(page: dict[str, Any]) -> list[str]:
    return [row["content"] for row in page["data"]]


async def test_the_mcp_package_s_client(url: str, home: Path) -> None:
    """Keys, channels, messages, actors, claims and acks, with its idempotency keys; errors with status and payload."""
    found = await drive("mcp_library", url, home)
    answers, lane = found["answers"], found["lane"]
    assert set(answers) == set(found["methods"])
    assert (answers["issue_key"]["tier"], answers["keys_me"]["key_id"]) == (0, answers["issue_key"]["key_id"])
    assert (answers["create_channel"]["name"], answers["create_channel"]["ttl_seconds"]) == (lane, 600)
    assert found["repeated"]["create"]["id"] == answers["create_channel"]["id"]
    assert answers["ensure_actor"] == found["worker"]
    assert answers["claim_message"]["status"] == "claimed"
    assert answers["claim_message"]["message"]["claimed_by"]["name"] == found["worker"]
    assert (answers["ack_message"]["status"], answers["ack_message"]["message"]["active"]) == ("acknowledged", True)
    assert [answers["claim_and_ack"][step]["status"] for step in ("claim", "ack")] == ["claimed", "acknowledged"]
    assert [found["repeated"][step]["status"] for step in ("claim", "ack")] == ["already_acknowledged"] * 2
    assert sorted(contents(answers["list_messages"])) == ["one", "three", "two"]
    assert [contents(page) for page in found["pages"]] == [["one", "two"], ["three"], []]
    assert found["pages"][2]["next_cursor"] == found["pages"][1]["next_cursor"]
    assert answers["broadcast"]["message"]["content"] == "hello"
    seen = answers["discover_channels"]["data"] + found["rest"]["data"]
    assert {lane, f"{lane}-news"} <= {channel["name"] for channel in seen}
    assert len({channel["id"] for channel in seen}) == len(seen)
    assert answers["request_access"]["status"] == "pending"
    assert (found["without_key"]["status"], found["held"]["status"]) == (401, 409)
    assert (found["held"]["payload"]["error"], found["held"]["payload"]["holder"]) == ("already_claimed", found["worker"])
    assert (found["taken"]["status"], found["taken"]["payload"]["error"]) == (403, "actor_forbidden")


@pytest.fixture
async def sdk(url: str, home: Path) -> dict[str, Any]:
    return await drive("sdk", url, home, ADMIN_TOKEN=ADMIN_TOKEN)


async def test_the_sdk(sdk: dict[str, Any]) -> None:
    """All of its methods: keys and administration, channels, messages, actor webhooks, sessions, polling."""
    assert set(sdk["answers"]) == set(sdk["methods"])
    _keys(sdk["answers"], sdk["more"], sdk["lane"])
    _channels(sdk["answers"], sdk["more"], sdk["lane"])
    _messages(sdk["answers"], sdk["more"])
    _polling(sdk["answers"], sdk["more"])
    _webhooks_and_sessions(sdk["answers"], sdk["more"], sdk["lane"])


def _keys(answers: dict[str, Any], more: dict[str, Any], lane: str) -> None:
    assert answers["issue_key"]["key"].startswith(answers["issue_key"]["key_id"] + ".")
    assert answers["admin_issue_key"]["agent_label"] == f"bob-{lane}"
    assert answers["set_public_minting"] == {"public_minting_enabled": False}
    assert (more["closed"]["status"], more["closed"]["error"]) == (403, "minting_closed")
    assert (more["while_closed"], more["opened"]) == (f"carl-{lane}", {"public_minting_enabled": True})
    assert (more["wrong_token"]["status"], more["wrong_token"]["error"]) == (401, "admin_unauthorized")
    assert (more["same_label"]["status"], more["same_label"]["error"]) == (409, "label_in_use")


def _channels(answers: dict[str, Any], more: dict[str, Any], lane: str) -> None:
    made = answers["create_channel"]
    assert (made["name"], made["mode"], made["description"]) == (lane, "claimable", "work")
    assert "s3cret" not in str(answers) + str(more)
    assert [again["id"] for again in more["created_again"]] == [made["id"]] * 2
    assert answers["get_channel"]["id"] == made["id"]
    discovered = answers["discover_channels"]
    assert len(discovered["data"]) == 1
    assert lane in [channel["name"] for channel in discovered["data"] + discovered["rest"]["data"]]
    assert answers["request_access"]["status"] == "pending"
    assert (more["kept_out"]["status"], more["kept_out"]["error"]) == (403, "channel_access_denied")


def _messages(answers: dict[str, Any], more: dict[str, Any]) -> None:
    sent = answers["send_message"]
    assert (sent["content"], sent["actor_label"], sent["metadata"]) == ("one", "ann", {"n": 1})
    assert more["sent_again"]["id"] == sent["id"]
    assert (more["other_body"]["status"], more["other_body"]["error"]) == (409, "idempotency_conflict")
    assert contents(answers["list_messages"]) == ["one", "two"]
    assert [each["name"].partition("-")[0] for each in more["as_actor"]["mentions"]] == ["bob"]
    assert (answers["claim_message"]["status"], more["claimed_again"]["status"]) == ("claimed", "already_claimed")
    assert (more["held"]["error"], more["not_mine"]["error"]) == ("already_claimed", "not_claimed")
    assert (answers["ack_message"]["status"], more["acked_again"]["status"]) == ("acknowledged", "already_acknowledged")
    assert more["claimed_when_done"]["status"] == "already_acknowledged"
    assert (more["bad"]["status"], more["bad"]["error"]) == (422, "invalid_object")
    assert more["quickstart"] == [["invoice 0"], ["invoice 1"], []]


def _polling(answers: dict[str, Any], more: dict[str, Any]) -> None:
    assert answers["poll_until_message"]["content"] == "one"
    assert (more["polled_empty"], more["polled_news"]) == (None, "hello")


def _webhooks_and_sessions(answers: dict[str, Any], more: dict[str, Any], lane: str) -> None:
    assert (answers["set_actor_webhook"]["actor_id"], answers["set_actor_webhook"]["has_secret"]) == (f"bob-{lane}", True)
    assert (more["not_my_actor"]["status"], more["not_my_actor"]["error"]) == (403, "actor_forbidden")
    assert (more["not_allowed"]["status"], more["not_allowed"]["error"]) == (422, "invalid_webhook_url")
    assert answers["create_session"]["state"] == {"step": 1, "keep": True}
    assert answers["patch_session"]["state"] == answers["get_session"]["state"] == {"step": 2, "keep": True}
    for gone in ("foreign_session", "deleted_session"):
        assert (more[gone]["status"], more[gone]["error"]) == (404, "session_not_found")
    assert answers["delete_session"] is None
    assert answers["close"] is None


async def test_the_sdk_s_asynchronous_client(url: str, home: Path) -> None:
    """All of its methods; of five workers that claim one task at the same time, one has it."""
    found = await drive("sdk_async", url, home)
    answers = found["answers"]
    assert set(answers) == set(found["methods"])
    assert contents(answers["list_messages"]) == ["one"]
    assert answers["claim_message"]["status"] == "claimed"
    assert found["lost"] == [[409, "already_claimed"]] * 4
    assert answers["ack_message"]["status"] == "acknowledged"
    assert [len(row["acknowledged_by"]) for row in found["after"]["data"]] == [1]


async def test_the_sdk_s_integrations(url: str, home: Path) -> None:
    """AutoGen's functions need no framework and work; the others say which framework they need."""
    found = await drive("integrations", url, home)
    assert found["found"] == ["autogen"]
    assert set(found["lacking"]) == {"crewai", "langchain", "llamaindex"}
    assert set(found["tools"]) == set(found["answers"])
    assert contents(found["answers"]["backchannel_list_messages"]) == ["one"]
    assert found["answers"]["backchannel_claim_message"]["status"] == "claimed"
    assert found["answers"]["backchannel_ack_message"]["status"] == "acknowledged"


async def test_the_sdk_is_told_when_it_is_too_fast(home: Path) -> None:
    """429 with what is left and when to come back, and then it is let through."""
    async with a_server(BACKCHANNEL_RATE_LIMIT="10", BACKCHANNEL_RATE_LIMIT_WINDOW="10") as url:
        found = await drive("limits", url, home)
    assert found["passed"] >= 10
    assert (found["told"]["status"], found["told"]["error"]) == (429, "rate_limit_exceeded")
    assert (found["first"]["x-ratelimit-limit"], found["first"]["x-ratelimit-window"]) == ("10", "10")
    assert int(found["first"]["x-ratelimit-remaining"]) == 9
    assert 1 <= int(found["last"]["retry-after"]) <= 2
    assert "retry-after" not in found["after"]
