"""Sessions behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from bus.models import Caller, Session

from . import reading
from .http import Http, segment


class RemoteSessions:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(self, caller: Caller, name: str, *, state: Mapping[str, Any] | None = None) -> Session:
        body = {"name": name, "state": _object(state)}
        return (await self._http.post(caller, "/v1/sessions", body, keyed=True)).read(session)

    async def list(self, caller: Caller) -> Sequence[Session]:
        answer = await self._http.get(caller, "/v1/sessions")
        return answer.read(lambda body: [session(each) for each in body["data"]])

    async def get(self, caller: Caller, session_id: str) -> Session:
        return (await self._http.get(caller, _path(session_id))).read(session)

    async def update(self, caller: Caller, session_id: str, state: Mapping[str, Any]) -> Session:
        # The same changes again change nothing more.
        answer = await self._http.send("PATCH", caller, _path(session_id), {"state": _object(state)}, repeatable=True)
        return answer.read(session)

    async def delete(self, caller: Caller, session_id: str) -> None:
        await self._http.call("DELETE", caller, _path(session_id), keyed=True)


def session(s: Mapping[str, Any]) -> Session:
    made, changed, over = (reading.moment(s[field]) for field in ("created_at", "updated_at", "expires_at"))
    return Session(s["id"], s["name"], s["state"], made, changed, over)


def _object(state: Any) -> Any:
    """Fit for JSON; what is no object goes as it is, for the server to say so."""
    return dict(cast("Mapping[str, Any]", state)) if isinstance(state, Mapping) else state


def _path(session_id: str) -> str:
    return f"/v1/sessions/{segment(session_id)}"
