"""Webhooks behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bus.models import Caller, Page, Webhook, WebhookAttempt, WebhookFailure

from . import reading
from .http import Http, segment


class RemoteWebhooks:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def set(self, caller: Caller, actor: str, url: str, *, secret: str | None = None) -> Webhook:
        body = {"url": url, "secret": secret}
        return (await self._http.post(caller, _webhook(actor), body, repeatable=True)).read(webhook)

    async def get(self, caller: Caller, actor: str) -> Webhook:
        return (await self._http.get(caller, _webhook(actor))).read(webhook)

    async def delete(self, caller: Caller, actor: str) -> None:
        await self._http.call("DELETE", caller, _webhook(actor), repeatable=True)

    async def failures(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[WebhookFailure]:
        path = f"/v1/channels/{segment(channel)}/webhook-failures"
        answer = await self._http.get(caller, path, params={"cursor": cursor, "limit": limit})
        return answer.read(lambda body: reading.page(body, failure))


def webhook(w: Mapping[str, Any]) -> Webhook:
    return Webhook(w["actor_id"], w["url"], w["has_secret"], reading.moment(w["updated_at"]))


def failure(f: Mapping[str, Any]) -> WebhookFailure:
    attempts = tuple(WebhookAttempt(reading.moment(each["at"]), each["answer"]) for each in f["attempts"])
    failed_at = reading.moment(f["failed_at"])
    return WebhookFailure(f["id"], f["channel_id"], f["event"], f["url"], f["message_id"], failed_at, attempts)


def _webhook(actor: str) -> str:
    return f"/v1/actors/{segment(actor)}/webhook"
