"""One code, one HTTP status: the table, the error body, and the handlers that turn exceptions into it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from bus.errors import BusError, Unauthorized, code_of

from .replies import reply
from .seen import seen
from .shapes.moments import plain

INVALID = 422
"""The status of every code that is not in the table: malformed input, which has one code per field."""
STATUS: dict[str, int] = {
    "invalid_json": 400,
    "unauthorized": 401,
    "admin_unauthorized": 401,
    "api_key_required": 401,
    "insufficient_scope": 403,
    "forbidden": 403,
    "minting_closed": 403,
    "admin_disabled": 403,
    "origin_not_allowed": 403,
    "actor_forbidden": 403,
    "channel_access_denied": 403,
    "not_found": 404,
    "actor_not_found": 404,
    "key_not_found": 404,
    "session_not_found": 404,
    "webhook_not_found": 404,
    "invitation_not_found": 404,
    "channel_not_found": 404,
    "message_not_found": 404,
    "invalid_message_id": 404,
    "access_request_not_found": 404,
    "dead_letter_not_found": 404,
    "method_not_allowed": 405,
    "label_in_use": 409,
    "channel_exists": 409,
    "channel_not_empty": 409,
    "alias_conflict": 409,
    "cannot_remove_owner": 409,
    "message_claimed": 409,
    "channel_not_claimable": 409,
    "channel_not_broadcast": 409,
    "already_claimed": 409,
    "already_finished": 409,
    "not_available_yet": 409,
    "task_cancelled": 409,
    "lease_lost": 409,
    "not_claimed": 409,
    "not_asked": 409,
    "chain_too_long": 409,
    "idempotency_conflict": 409,
    "idempotency_in_progress": 409,
    "access_request_resolved": 409,
    "result_not_ready": 404,
    "message_expired": 410,
    "lease_expired": 410,
    "invitation_revoked": 410,
    "invitation_expired": 410,
    "body_too_large": 413,
    "host_not_allowed": 421,
    "content_too_large": INVALID,
    "metadata_validation_failed": INVALID,
    "channel_full": 429,
    "chain_rate_exceeded": 429,
    "rate_limit_exceeded": 429,
    "channel_write_rate_exceeded": 429,
    "client_gone": 499,
    "internal_server_error": 500,
    "channel_paused": 503,
    "store_unavailable": 503,
    "unconfirmed": 503,
    "store_full": 507,
}
_RETRY_AFTER = {429, 503}


class Refused(HTTPException):
    """A request that never reaches the bus: `code` is one of the table, `details` go to the top level of the body."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(STATUS.get(code, INVALID), message)
        self.code = code
        self.details = details


def error(request: Request, code: str, message: str, details: Mapping[str, Any] | None = None) -> Response:
    """The error body, with the headers its status asks for."""
    here = seen(request.scope)
    status = STATUS.get(code, INVALID)
    extras = plain(details or {})
    headers: dict[str, str] = {}
    if status in _RETRY_AFTER or extras.get("retry_after") is not None:
        headers["Retry-After"] = str(max(1, math.ceil(float(extras.get("retry_after") or 1))))
    if status == STATUS["unauthorized"]:
        headers["WWW-Authenticate"] = 'Bearer realm="backchannel"'
    body: dict[str, Any] = {
        **extras,
        "error": code,
        "message": message,
        "request_id": here.request_id,
        "documentation_url": f"{here.base_url}/docs/errors.md#{code.replace('_', '-')}",
    }
    return reply(body, status, headers)


def install(app: FastAPI) -> None:
    """Every exception that a request may end in, as an error body."""
    app.add_exception_handler(BusError, _bus_error)
    app.add_exception_handler(Unauthorized, _bus_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def bus_error(request: Request, exc: BusError) -> Response:
    return error(request, code_of(exc), exc.message, exc.details)


async def _bus_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, BusError)  # noqa: S101  # what it is registered for
    return bus_error(request, exc)


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101  # what it is registered for
    if isinstance(exc, Refused):
        return error(request, exc.code, exc.detail, exc.details)
    if exc.status_code == STATUS["method_not_allowed"]:
        allowed = allowed_methods(request.app.router.routes, request.scope)
        refused = error(
            request,
            "method_not_allowed",
            f"{request.method} is not served here; use {' or '.join(allowed)}",
            {"allowed_methods": allowed},
        )
        refused.headers["Allow"] = ", ".join(allowed)
        return refused
    if exc.status_code == STATUS["not_found"]:
        return error(request, "not_found", f"there is nothing at {request.url.path}; GET /openapi.json lists every route")
    return error(request, "invalid_json", f"the body could not be read as JSON ({exc.detail}); send one JSON object")


def allowed_methods(routes: Sequence[BaseRoute], scope: Mapping[str, Any]) -> list[str]:
    """The methods that some route serves at the request's path; empty when none does."""
    found: set[str] = set()
    for route in routes:
        if route.matches({**scope})[0] != Match.NONE:
            found |= getattr(route, "methods", None) or set()
    if "GET" in found:
        found.add("HEAD")
    return sorted(found | {"OPTIONS"}) if found else []


async def _validation_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101  # what it is registered for
    first: Mapping[str, Any] = exc.errors()[0]
    place: tuple[Any, ...] = tuple(first["loc"])
    if len(place) == 1:
        return error(request, "invalid_json_shape", "the body must be one JSON object, such as {}")
    if first["type"] == "extra_forbidden":
        unknown = [str(each["loc"][-1]) for each in exc.errors() if each["type"] == "extra_forbidden"]
        told = f"{', '.join(unknown)} cannot be set here; leave it out"
        return error(request, "invalid_fields", told, {"field": unknown[0], "fields": unknown})
    field = str(place[1])
    # Other text in the place is pydantic's name for one of the types that the field may have.
    where = ".".join([field, *(str(part) for part in place[2:] if isinstance(part, int))])
    code, problem = _problem(str(first["type"]), field, str(first["msg"]))
    return error(request, code, f"{where} {problem}", {"field": where})


def _problem(kind: str, field: str, told: str) -> tuple[str, str]:
    """The contract's code for what pydantic found, and what is wrong in words that follow the field's name."""
    if kind == "missing":
        return "missing_field", "is required"
    if kind in ("string_type", "string_too_short", "string_unicode", "string_pattern_mismatch"):
        return "invalid_string", "must be a non-empty string"
    if kind == "dict_type":
        return "invalid_object", "must be a JSON object"
    words = told[:1].lower() + told[1:]
    return f"invalid_{field}", words.replace("input should be", "must be").replace("value error, ", "")
