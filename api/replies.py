"""An answer as bytes: JSON once, without validating again what our own code built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_JSON = b"application/json; charset=utf-8"


class JSONReply(Response):
    """Bytes of JSON with their two headers, made without Starlette's general case: there is one per request."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None = None) -> None:  # pyright: ignore[reportMissingSuperCall]  # see above
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-type", _JSON), (b"content-length", b"%d" % len(body))]
        if headers:
            self.raw_headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def reply(payload: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return JSONReply(to_json(payload), status, headers)
