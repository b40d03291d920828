"""Routes that check the API key before they look at the body, and read the body as JSON whatever it is called."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Coroutine, Mapping
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from . import docs
from .admission import ADMIN_TOKEN, admit_admin, admit_key
from .deps import bus_of
from .errors import Refused
from .exchange import MUTATING
from .idempotency import HEADER, IGNORED, NOT_NEEDED, REFUSED, REMEMBERED, Once, again

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# An exponent or a row of digits so long that the number may be past what a float holds: "1e999" reads as infinity.
_PERHAPS_INFINITE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{300}")
SECURITY_SCHEMES: dict[str, Any] = {
    "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key that POST /v1/keys gave."},
    "BearerAuth": {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
    "AdminToken": {
        "type": "apiKey",
        "in": "header",
        "name": ADMIN_TOKEN,
        "description": "The token that whoever runs the server set as BACKCHANNEL_ADMIN_TOKEN.",
    },
}
_THROUGH_FASTAPI = "fastapi_middleware_astack"
"""In the scope once a request went through FastAPI's own middleware, which its handlers stand on."""
_SCALARS = (int, float, str, type(None))
SECURITY: list[dict[str, list[str]]] = [{"ApiKeyAuth": []}, {"BearerAuth": []}]


class _JSONRequest(Request):
    """A request whose body is JSON: an empty one counts as `{}`."""

    async def body(self) -> bytes:
        """Read without Starlette's stream around it: most bodies come in one piece."""
        if not hasattr(self, "_body"):
            message = await self._next()
            pieces: list[bytes] = [message.get("body", b"")]
            while message.get("more_body"):
                message = await self._next()
                pieces.append(message.get("body", b""))
            self._body, self._stream_consumed = b"".join(pieces), True
        return self._body or b"{}"

    async def _next(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message

    async def json(self) -> Any:
        raw = await self.body()
        try:
            value = from_json(raw, allow_inf_nan=False)
        except ValueError as found:
            raise Refused("invalid_json", f"the body is not valid JSON ({found}); send one JSON object") from None
        if _PERHAPS_INFINITE.search(raw) and _holds_infinity(value):
            raise Refused("invalid_json", "the body holds a number that is too large; send it as a string")
        return value

    def again(self) -> Receive:
        """For whoever reads the request after this one: its body, should it have been read."""
        body = getattr(self, "_body", None)
        return self.receive if body is None else again(body, self.receive)


def _holds_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_infinity, value.values()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # any JSON
    return isinstance(value, list) and any(map(_holds_infinity, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # any JSON


class Careful(Exception):
    """A request that came straight to its route, and that FastAPI has to say something about. `receive`: to read it with."""

    def __init__(self, receive: Receive) -> None:
        super().__init__("this request has to go through FastAPI")
        self.receive = receive


class PublicRoute(APIRoute):
    """Served to whoever asks.

    FastAPI declares the route, documents it and words what is wrong with a request. A request with nothing wrong is
    handled here: its arguments are validated by the same fields, without the general machinery around them, which
    costs as much as the verb. Where the route is `plain`, its `app` takes a request straight from the edge; it raises
    Careful for one that then has to come through the app's middleware as well.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._careful = self.app
        self.plain = self._is_plain()
        if self.plain:
            self.app = self._serve

    def _is_plain(self) -> bool:
        """Takes the request, text from the path, query parameters and at most one body, and answers with a Response."""
        d = self.dependant
        if any(field.field_info.annotation is not str or field.field_info.metadata for field in d.path_params):
            return False
        if any(field.field_info.is_required() or not isinstance(field.default, _SCALARS) for field in d.query_params):
            return False
        rest = (d.dependencies, d.header_params, d.cookie_params, d.background_tasks_param_name, d.response_param_name)
        takes = d.request_param_name == "request" and not any(rest) and len(d.body_params) <= 1 and not self._embed_body_fields
        return takes and self.endpoint.__annotations__.get("return") == "Response" and iscoroutinefunction(self.endpoint)

    async def admit(self, request: Request) -> None:
        """Raises what a request is refused for, whatever it holds."""

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _JSONRequest(scope, receive)
        await self.admit(request)
        arguments = await self._arguments(request)
        if arguments is None:
            if _THROUGH_FASTAPI not in scope:
                raise Careful(request.again())
            await self._careful(scope, request.again(), send)
            return
        response: Response = await self.endpoint(request=request, **arguments)
        await response(scope, receive, send)

    async def _arguments(self, request: _JSONRequest) -> dict[str, Any] | None:
        """By name; None when something is wrong with one. Raises Refused when the body is no JSON."""
        d = self.dependant
        values: dict[str, Any] = dict(request.path_params)  # text, as it is: see _is_plain
        given: Mapping[str, str] = request.query_params if d.query_params else {}
        for field in d.query_params:
            values[field.name], wrong = (
                field.validate(given[field.alias], {}) if field.alias in given else (field.default, None)
            )
            if wrong:
                return None
        for field in d.body_params:
            values[field.name], wrong = field.validate(await request.json(), {}, loc=("body",))
            if wrong:
                return None
        return values

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            await self.admit(request)
            return await handle(_JSONRequest(request.scope, request.receive))

        return handler


class KeyedRoute(PublicRoute):
    """Served to a good API key, whose `Caller` is in the scope from then on."""

    def __init__(
        self,
        *args: Any,
        openapi_extra: dict[str, Any] | None = None,
        operation_id: str,
        responses: docs.Answers | None = None,
        **kwargs: Any,
    ) -> None:
        extra: dict[str, Any] = {"security": SECURITY, **(openapi_extra or {})}
        if not MUTATING.isdisjoint(kwargs["methods"]):
            extra["parameters"] = [IGNORED if operation_id in NOT_NEEDED else HEADER]
        remembered = operation_id in REMEMBERED
        if remembered:
            responses = docs.also(responses, *REFUSED)
        super().__init__(*args, openapi_extra=extra, operation_id=operation_id, responses=responses, **kwargs)
        if remembered:
            self.app = Once(self.app, operation_id)

    async def admit(self, request: Request) -> None:
        await admit_key(request.scope, bus_of(request))


class AdminRoute(PublicRoute):
    """Served to whoever shows the admin token. No API key, so no rate limit but on wrong tokens."""

    def __init__(self, *args: Any, openapi_extra: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, openapi_extra={"security": [{"AdminToken": []}], **(openapi_extra or {})}, **kwargs)

    async def admit(self, request: Request) -> None:
        await admit_admin(request.scope, bus_of(request))


def keyed(tag: str) -> APIRouter:
    """A router for one concept, behind the API key."""
    return APIRouter(route_class=KeyedRoute, tags=[tag], strict_content_type=False)


def public(tag: str) -> APIRouter:
    """A router for one concept, open to all."""
    return APIRouter(route_class=PublicRoute, tags=[tag], strict_content_type=False)


def admin(tag: str) -> APIRouter:
    """A router for one concept, behind the admin token."""
    return APIRouter(route_class=AdminRoute, tags=[tag], strict_content_type=False)
