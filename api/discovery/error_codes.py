"""Every code that an error may carry, with what happened and what to do next: /docs/errors.md is made of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.errors import INVALID, STATUS
from bus.errors import BY_CODE, InvalidInput

_CORRECT: Final = "Correct the field that the message names and send it again. Nothing was stored."

OF_THE_SERVER: Final[Mapping[str, str]] = {
    "body_too_large": "The request's body is over the server's limit.",
    "client_gone": "The client closed the connection while its request waited. Only the server's log shows it.",
    "host_not_allowed": "The Host header does not name this server.",
    "internal_server_error": "The server failed.",
    "invalid_json": "The body is not JSON, or holds a number that JSON readers cannot hold.",
    "invalid_message_id": "That is no message id.",
    "method_not_allowed": "The path is right and the method is not. Extra: `allowed_methods`.",
    "not_found": "There is nothing at that path.",
    "origin_not_allowed": "A web page of another origin sent this.",
    "lease_expired": "The lease token is of no lease that is going on: unknown, past, or the task passed on.",
    "result_not_ready": "The task has no outcome yet, or there is no such task.",
    "api_key_required": "An invitation was looked up without an API key. Extra: `redirect_to`.",
}
"""Codes about the request as such, which no class of the bus stands for."""

INPUT: Final[Mapping[str, str]] = {
    "missing_field": "A field that is required is absent.",
    "unsupported_field": "The request has a field that cannot be set here.",
    "invalid_fields": "The request has fields that cannot be changed. Extra: `fields`.",
    "invalid_field": "A field's value is malformed or out of range.",
    "invalid_json_shape": "The body is JSON, but no object.",
    "invalid_string": "A field that must be a non-empty string is something else, or empty.",
    "invalid_object": "A field that must be a JSON object is something else.",
    "invalid_actor_name": "That cannot be an actor's name.",
    "invalid_channel_name": "That can be no channel's name: empty, too long, or with braces, slashes or invisible characters.",
    "invalid_cursor": "That is no cursor of this server, no `0` and no ISO 8601 timestamp.",
    "invalid_idempotency_key": "An idempotency key has 1 to 200 visible ASCII characters.",
    "invalid_delay_seconds": "The delay is negative, or longer than messages live on the channel.",
    "invalid_limit": "`limit` is a whole number from 1 to 100.",
    "invalid_status": "`status` is `unclaimed` or `claimed`.",
    "invalid_scope": "There is no scope of that name.",
    "too_many_access_requests": "The channel has as many pending access requests as it can have.",
    "too_many_aliases": "A channel or an actor has as many aliases as it can have.",
    "too_many_invitations": "The channel has as many invitations as it can have.",
    "too_many_members": "The channel has as many members as it can have.",
    "too_many_sessions": "The API key has as many sessions as it can have.",
    "invalid_webhook_url": "The URL is malformed, carries a password, or leads to a private address that is not allowed.",
}
"""What was sent is wrong: status 422. Every other code of this family is `invalid_` and the name of the field."""

NEXT: Final[Mapping[str, str]] = {
    "access_request_not_found": "List the channel's access requests for the ids there are.",
    "access_request_resolved": "If access is still missing, ask again: that makes a new request.",
    "actor_forbidden": "Leave `actor` out to act under your own name, or choose another.",
    "actor_not_found": "Check the name. An actor exists from its first claim on, or when it is created.",
    "admin_disabled": "The operator sets BACKCHANNEL_ADMIN_TOKEN to switch administration on.",
    "admin_unauthorized": "Send the operator's token as X-Admin-Token.",
    "alias_conflict": "Choose another alias.",
    "already_claimed": "Leave it to its holder and claim another. When the lease ends, the task is handed out again.",
    "already_finished": "Read the outcome; do not work on it any more.",
    "api_key_required": "Get an API key and look the invitation up again with it.",
    "body_too_large": "Send less. `max_body_bytes` is the limit.",
    "cannot_remove_owner": "Delete the channel instead, if it is to end.",
    "chain_rate_exceeded": "Stop: agents hand work round in a circle. Finish what you hold, and tell a person.",
    "chain_too_long": "Stop: agents hand work round in a circle. Finish what you hold, and tell a person.",
    "channel_access_denied": "Ask with `POST /v1/channels/{channel}/access-requests`, or ask its owner for an invitation.",
    "channel_exists": "Use the channel as it is, or choose another name.",
    "channel_full": "Wait until tasks have been worked off. Nothing was stored.",
    "channel_not_broadcast": "This channel holds tasks: post and claim them, or broadcast under another name.",
    "channel_not_claimable": "This channel holds news: read it by cursor, write with broadcast.",
    "channel_not_empty": "Create another channel of the mode you want.",
    "channel_not_found": "Use one of the `nearest` names. Posting a task creates a missing channel.",
    "channel_paused": "Wait `retry_after` seconds and send it again. Nothing was stored.",
    "channel_write_rate_exceeded": "Wait `retry_after` seconds and send it again. Nothing was stored.",
    "client_gone": "Send it again. A task that was claimed for you meanwhile was put back.",
    "content_too_large": "Shorten it, or put the bulk where the reader finds it and send the place. Nothing was stored.",
    "dead_letter_not_found": "List the channel's dead letters for the ids there are.",
    "forbidden": "Leave it to the key that owns it.",
    "host_not_allowed": "Use an address of the server, or have its operator add the name to BACKCHANNEL_ALLOWED_HOSTS.",
    "idempotency_conflict": "Use a new idempotency key for the new content, or the same content with this one.",
    "idempotency_in_progress": "Wait `retry_after` seconds and send the same again.",
    "insufficient_scope": "Use a key that has `required_scope`. Only an administrator can widen a key.",
    "internal_server_error": "Tell the operator the `request_id`. Repeat the call with the same idempotency key.",
    "invalid_json": "Send one JSON object.",
    "invalid_message_id": "Use the `id` that posting, claiming or listing gave.",
    "invitation_expired": "Ask the channel's owner for a new invitation.",
    "invitation_not_found": "Check the id, or ask the channel's owner for a new invitation.",
    "invitation_revoked": "Ask the channel's owner for a new invitation.",
    "key_not_found": "List the keys for the ids there are.",
    "label_in_use": "Choose another `agent_label`.",
    "lease_expired": "Discard what you did for the task, for somebody else may have it now, and claim another.",
    "lease_lost": "Discard what you did for the task, for somebody else may have it now, and claim another.",
    "message_claimed": "Cancel it instead: its holder is told at the next call.",
    "message_expired": "Post it again if it is still wanted.",
    "message_not_found": "Check the id; it is the one that posting, claiming or listing gave.",
    "metadata_validation_failed": "Make the metadata fit the channel's `metadata_schema`; `violations` says where they do not.",
    "method_not_allowed": "Use one of `allowed_methods`.",
    "minting_closed": "Ask the operator of this bus for an API key.",
    "not_asked": "Read the task: there is nothing to answer (any more).",
    "not_available_yet": "Come back at `available_at`, or claim another task.",
    "not_claimed": "Claim the task first: only its holder can do this.",
    "not_found": "`/openapi.json` lists every route.",
    "origin_not_allowed": "Call from a program, or from a page of this server.",
    "rate_limit_exceeded": "Wait `retry_after` seconds. The refused call did not count.",
    "result_not_ready": "Ask again later, or wait with `?wait=` seconds.",
    "session_not_found": "Create the session anew: sessions live 24 hours.",
    "store_full": "Tell the operator that the store is out of memory. Claiming and finishing go on.",
    "store_unavailable": "Wait `retry_after` seconds and repeat the call with the same idempotency key.",
    "task_cancelled": "Stop working on it and claim another.",
    "unauthorized": "Send a good API key as X-API-Key or as a bearer token. A revoked key stays revoked.",
    "unconfirmed": "Wait `retry_after` seconds and repeat the call with the same idempotency key.",
    "webhook_not_found": "Set one first.",
}
"""What helps, by code; input has one remedy for all."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """`anchor` is where documentation_url leads; `status` None: it varies."""

    code: str
    status: int
    happened: str
    next: str

    @property
    def anchor(self) -> str:
        return self.code.replace("_", "-")


def error_codes(openapi: Mapping[str, Any]) -> Sequence[ErrorCode]:
    """All of them: those with a status of their own, then those of malformed input."""
    own = [ErrorCode(code, status, _happened(code), NEXT[code]) for code, status in sorted(STATUS.items())]
    input_codes = {**dict(_of_fields(openapi)), **INPUT}
    return own + [
        ErrorCode(code, INVALID, happened, _CORRECT) for code, happened in sorted(input_codes.items()) if code not in STATUS
    ]


def _happened(code: str) -> str:
    if code in OF_THE_SERVER:
        return OF_THE_SERVER[code]
    return " ".join(inspect.cleandoc(BY_CODE[code].__doc__ or "").split()).replace("Details:", "Extra:")


def _of_fields(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One code for each field of a body and each query parameter, with what the field is."""
    for name, described in _fields(openapi):
        said = described.rstrip(". ")
        yield f"invalid_{name}", f"`{name}` is malformed or out of range" + (f": {said[0].lower()}{said[1:]}." if said else ".")


def _fields(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    schemas = openapi["components"]["schemas"]
    for methods in openapi["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    yield parameter["name"], parameter.get("description", "")
            if "requestBody" in operation:
                reference: str = operation["requestBody"]["content"]["application/json"]["schema"].get("$ref", "")
                for name, field in schemas.get(reference.rpartition("/")[2], {}).get("properties", {}).items():
                    yield name, field.get("description", "")


assert InvalidInput.code in INPUT  # noqa: S101  # the one class without a status of its own
