"""Actors behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bus.models import Actor, Caller, Mention, Page

from . import reading
from .http import Http, segment


class RemoteActors:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(
        self, caller: Caller, name: str, *, description: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Actor:
        body = {"name": name, "description": description, "metadata": None if metadata is None else dict(metadata)}
        return (await self._http.post(caller, "/v1/actors", body, repeatable=True)).read(reading.actor)

    async def add_alias(self, caller: Caller, name: str, alias: str) -> Actor:
        path = f"/v1/actors/{segment(name)}/aliases"
        return (await self._http.post(caller, path, {"alias": alias}, repeatable=True)).read(reading.actor)

    async def get(self, caller: Caller, name: str) -> Actor:
        return (await self._http.get(caller, f"/v1/actors/{segment(name)}")).read(reading.actor)

    async def mentions(self, caller: Caller, name: str, *, since: str | None = None, limit: int = 50) -> Page[Mention]:
        path = f"/v1/actors/{segment(name)}/mentions"
        found = await self._http.get(caller, path, params={"since": since, "limit": limit})
        return found.read(lambda body: reading.page(body, reading.mention))
