"""The one way to the HTTP API: a request, and its answer or the bus's error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import httpx

from bus.errors import (
    BY_CODE,
    BusError,
    ContentTooLarge,
    IdempotencyInProgress,
    InvalidInput,
    StoreUnavailable,
    Unauthorized,
    from_code,
)
from bus.idempotency import OWN_PREFIX
from bus.models import Caller

from .retrying import Budget, no_answer, no_bus_s_answer

T = TypeVar("T")
# Beyond the wait that was asked for: how long the server may take for everything else.
GRACE_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
_NO_CONTENT: Final = 204
_TOO_LARGE: Final = 413
_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500
# What every error body has beside its details.
_FRAME: Final = frozenset({"error", "message", "request_id", "documentation_url"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its status, its JSON object, and its headers; `where` it came from."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers
    where: str

    def read(self, make: Callable[[dict[str, Any]], T]) -> T:
        """The value that `make` finds in the body. Raises StoreUnavailable when it is not there."""
        try:
            return make(self.body)
        except (KeyError, TypeError, ValueError) as lacking:
            raise StoreUnavailable(
                f"{self.where} answers in another shape than this version of Backchannel ({lacking!r}); "
                "run the same version on both sides"
            ) from lacking


def segment(text: object) -> str:
    """A name as one segment of a path. `.` and `..` would be resolved away on the way."""
    quoted = quote(str(text), safe="")
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


class Http:
    """`client` has the base URL; `where` is that URL for humans. What may be sent again is, for up to `retry_seconds`.

    That is: what was never sent; what is `repeatable`, because doing it twice is as good as once; and what bears an
    idempotency key, if need be one of our own making (`keyed`). But never a call with a `wait`: who waits asks again by
    itself, for as long as it waits.
    """

    def __init__(self, client: httpx.AsyncClient, where: str, *, retry_seconds: float = 0) -> None:
        self._client = client
        self.where = where
        self._retry_seconds = retry_seconds

    async def get(
        self, caller: Caller | None, path: str, *, params: Mapping[str, Any] | None = None, wait: float = 0
    ) -> Answer:
        """Reads. Raises what the bus raises."""
        sent = {name: value for name, value in (params or {}).items() if value is not None}
        return await self.call("GET", caller, path, params=sent, wait=wait, repeatable=True)

    async def post(
        self, caller: Caller | None, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0,
        idempotency_key: str | None = None, repeatable: bool = False, keyed: bool = False,
    ) -> Answer:  # fmt: skip
        """Changes something."""
        sent = {name: value for name, value in (body or {}).items() if value is not None}
        return await self.call(
            "POST", caller, path, content=_encoded(sent), wait=wait, idempotency_key=idempotency_key,
            repeatable=repeatable, keyed=keyed,
        )  # fmt: skip

    async def send(
        self, method: str, caller: Caller | None, path: str, body: Mapping[str, Any], *, repeatable: bool = False,
        keyed: bool = False, headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """A body as it is, with its nulls: for PUT and PATCH, where leaving something out means another thing."""
        return await self.call(
            method, caller, path, content=_encoded(body), repeatable=repeatable, keyed=keyed, headers=headers
        )

    async def call(
        self, method: str, caller: Caller | None, path: str, *, params: Mapping[str, Any] | None = None,
        content: bytes | None = None, idempotency_key: str | None = None, wait: float = 0, repeatable: bool = False,
        keyed: bool = False, headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """One request, sent again where that is safe. Raises what the bus raises; StoreUnavailable also when the server
        cannot be reached."""
        named = f"{OWN_PREFIX}{token_urlsafe(16)}" if keyed and idempotency_key is None else idempotency_key
        sent = {**_headers(caller, content, named), **(headers or {})}
        timeout = httpx.Timeout(wait + GRACE_SECONDS, connect=CONNECT_SECONDS)
        request = self._client.build_request(method, path, params=params, content=content, headers=sent, timeout=timeout)
        budget = Budget(0 if wait else self._retry_seconds)
        unknown: StoreUnavailable | None = None
        while True:
            try:
                return await self._once(request)
            except StoreUnavailable as failed:
                if not failed.nothing_done:
                    unknown = failed
                if not (repeatable or named is not None or failed.nothing_done) or not await budget.pause(failed):
                    raise
            except IdempotencyInProgress:
                if unknown is None:
                    raise
                raise unknown from None  # of our own first attempt, whose server has died in mid-call

    async def _once(self, request: httpx.Request) -> Answer:
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as broken:
            raise no_answer(self.where, broken) from broken
        return _answer(response, self.where)


def _headers(caller: Caller | None, content: bytes | None, idempotency_key: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if caller is not None:
        if not caller.api_key:
            raise Unauthorized("this caller has no raw API key, which a bus over HTTP needs; verify the key on this bus first")
        headers["X-API-Key"] = _header_text(caller.api_key, "api_key")
    if content is not None:
        headers["Content-Type"] = "application/json"
    if idempotency_key is not None:
        headers["Idempotency-Key"] = _header_text(idempotency_key, "idempotency_key")
    return headers


def _header_text(text: str, field: str) -> str:
    """Text fit for a header; what is not, no server would accept as a key either."""
    if text and all("!" <= c <= "~" for c in text):
        return text
    if field == "api_key":
        raise Unauthorized("this is no API key: they look like bck_<id>.<secret>")
    raise InvalidInput(f"{field} must have 1 to 200 visible ASCII characters", field=field, code=f"invalid_{field}")


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return _json(body)
    except (TypeError, ValueError, RecursionError):
        for field, value in body.items():
            _check(field, value)
        raise


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _check(field: str, value: Any) -> None:
    """Raises InvalidInput for the field that is no JSON: the server never sees it, so it is said here."""
    try:
        _json(value)
    except (TypeError, ValueError, RecursionError) as why:
        code = "invalid_string" if isinstance(value, str) else "invalid_object"
        raise InvalidInput(f"{field} must be a JSON value: {why}", field=field, code=code) from None


def _answer(response: httpx.Response, where: str) -> Answer:
    body = {} if response.status_code == _NO_CONTENT else _object(response)
    if response.status_code < _FIRST_ERROR and body is not None:
        return Answer(response.status_code, body, response.headers, where)
    raise _error(response, body or {}, where)


def _object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], body) if isinstance(body, dict) else None


def _error(response: httpx.Response, body: dict[str, Any], where: str) -> BusError:
    code, message = body.get("error"), body.get("message")
    if not isinstance(code, str) or not isinstance(message, str):
        return no_bus_s_answer(where, response)
    details = {name: value for name, value in body.items() if name not in _FRAME}
    if response.status_code == _TOO_LARGE:
        return ContentTooLarge(message, max_content_bytes=details.get("max_body_bytes"))
    if response.status_code >= _FIRST_SERVER_ERROR and code not in BY_CODE:
        return StoreUnavailable(f"{where} failed ({code}): {message}", retry_after=1)
    return from_code(code, message, **details)
