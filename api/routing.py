"""Routes that check the API key before they look at the body, and read the body as JSON whatever it is called."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.responses import Response

from .deps import CALLER, api_key, bus_of
from .errors import Refused
from .seen import seen

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# An exponent or a row of digits so long that the number may be past what a float holds: "1e999" reads as infinity.
_PERHAPS_INFINITE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{300}")
SECURITY_SCHEMES: dict[str, Any] = {
    "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key that POST /v1/keys gave."},
    "BearerAuth": {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
}
_SECURITY: list[dict[str, list[str]]] = [{"ApiKeyAuth": []}, {"BearerAuth": []}]


class _JSONRequest(Request):
    """A request whose body is JSON: an empty one counts as `{}`."""

    async def body(self) -> bytes:
        return await super().body() or b"{}"

    async def json(self) -> Any:
        raw = await self.body()
        try:
            value = from_json(raw, allow_inf_nan=False)
        except ValueError as found:
            raise Refused("invalid_json", f"the body is not valid JSON ({found}); send one JSON object") from None
        if _PERHAPS_INFINITE.search(raw) and _holds_infinity(value):
            raise Refused("invalid_json", "the body holds a number that is too large; send it as a string")
        return value


def _holds_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_infinity, value.values()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # any JSON
    return isinstance(value, list) and any(map(_holds_infinity, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # any JSON


class PublicRoute(APIRoute):
    """Served to whoever asks."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(_JSONRequest(request.scope, request.receive))

        return handler


class KeyedRoute(PublicRoute):
    """Served to a good API key, whose `Caller` is in the scope from then on."""

    def __init__(self, *args: Any, openapi_extra: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, openapi_extra={"security": _SECURITY, **(openapi_extra or {})}, **kwargs)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request.scope[CALLER] = await bus_of(request).credentials.verify(api_key(seen(request.scope)))
            return await handle(request)

        return handler


def keyed(tag: str) -> APIRouter:
    """A router for one concept, behind the API key."""
    return APIRouter(route_class=KeyedRoute, tags=[tag], strict_content_type=False)


def public(tag: str) -> APIRouter:
    """A router for one concept, open to all."""
    return APIRouter(route_class=PublicRoute, tags=[tag], strict_content_type=False)
