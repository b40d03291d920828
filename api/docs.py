"""What OpenAPI says of a route's answers: the success with its shape and example, and each error code it may give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import INVALID, STATUS
from .wire.server import ErrorJson

Answers = dict[int | str, dict[str, Any]]
_ALWAYS = ("internal_server_error", "store_unavailable")
_KEYED = ("unauthorized", "rate_limit_exceeded")
_WITH_BODY = ("invalid_json", "body_too_large", "invalid_json_shape")
_NAMES = frozenset({"invalid_channel_name", "invalid_actor_name"})
ADMIN = ("admin_disabled", "admin_unauthorized", "rate_limit_exceeded")
ACTING = ("actor_forbidden", "invalid_actor_name")
"""Of whatever is done under an actor's name."""
CHANNEL = ("channel_not_found", "channel_access_denied", "invalid_channel_name", "insufficient_scope")
MESSAGE = ("message_not_found", "invalid_message_id", "invalid_channel_name", "channel_access_denied", "insufficient_scope")
HELD = (
    *MESSAGE, *ACTING, "channel_not_claimable", "lease_lost", "not_claimed", "already_finished", "task_cancelled",
    "invalid_claim_token", "invalid_actor", "unconfirmed",
)  # fmt: skip
CLAIMING = (
    *MESSAGE, *ACTING, "already_claimed", "not_available_yet", "already_finished", "message_expired", "channel_not_claimable",
    "invalid_object",
)  # fmt: skip
POSTING = (
    *CHANNEL, *ACTING, "missing_field", "invalid_object", "content_too_large", "metadata_validation_failed",
    "invalid_idempotency_key", "idempotency_conflict", "channel_paused", "channel_full", "channel_write_rate_exceeded",
    "store_full", "unconfirmed",
)  # fmt: skip
CHAINED = ("invalid_chain", "chain_too_long", "chain_rate_exceeded")
"""Of tasks that are posted in the course of another."""


def success(status: int, shape: Any, example: Mapping[str, Any], description: str) -> Answers:
    """A successful answer."""
    return {status: {"model": shape, "description": description, "content": {"application/json": {"example": example}}}}


def fails(*codes: str, body: bool = False, keyed: bool = True) -> Answers:
    """The error answers of a route: its own codes and those every route may give, by status."""
    blank = () if _NAMES.isdisjoint(codes) else ("invalid_string",)
    return _answers((*codes, *blank, *_ALWAYS, *(_KEYED if keyed else ()), *(_WITH_BODY if body else ())))


def also(answers: Answers | None, *codes: str) -> Answers:
    """The answers with more error codes in them."""
    found: Answers = {**(answers or {})}
    for status, answer in _answers(codes).items():
        known = found.get(status)
        found[status] = {**known, "description": f"{known['description']}, {answer['description']}"} if known else answer
    return found


def _answers(codes: Sequence[str]) -> Answers:
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(STATUS.get(code, INVALID), []).append(code)
    return {
        status: {
            "model": ErrorJson,
            "description": ", ".join(f"`{code}`" for code in sorted(found)),
            "content": {"application/json": {"example": _example(found[0])}},
        }
        for status, found in sorted(by_status.items())
    }


def _example(code: str) -> dict[str, Any]:
    return {
        "error": code,
        "message": "what happened, and what to do next",
        "request_id": "3848f313-6a4c-4f0e-9a54-4ab3d6b0a8cf",
        "documentation_url": f"http://127.0.0.1:8080/docs/errors.md#{code.replace('_', '-')}",
    }
