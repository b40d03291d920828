"""Messages behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bus.messages import NO_WAIT
from bus.models import Caller, Chain, Message, Mode, Page, Posted

from . import reading
from .http import Answer, Http, segment
from .patience import Patience


class RemoteMessages:
    def __init__(self, http: Http, patience: Patience) -> None:
        self._http = http
        self._patience = patience

    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        mode: Mode | None = None,
        create: bool = False,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        mentions: Sequence[str] = (),
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        body = {
            "content": content,
            "metadata": None if metadata is None else dict(metadata),
            "actor": actor,
            "actor_label": label,
            "delay_seconds": delay.total_seconds() or None,
            "mode": None if mode is None else mode.value,
            "create": create or None,
            "chain": sent_chain(chain),
            "mentions": (list(mentions) if isinstance(mentions, list | tuple) else mentions) or None,
        }
        path = f"/v1/channels/{segment(channel)}/messages"
        answer = await self._http.post(caller, path, body, idempotency_key=idempotency_key, keyed=True)
        return posted(answer, repeats=idempotency_key is not None)

    async def subscribe(
        self,
        caller: Caller,
        channel: str,
        *,
        since: str | None = None,
        limit: int = 50,
        status: str | None = None,
        expiring_before: datetime | None = None,
        actor: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Page[Message]:
        cursor = since

        async def ask(seconds: float) -> Page[Message]:
            nonlocal cursor
            params = {
                "cursor": cursor, "limit": limit, "status": status, "actor": actor, "wait": seconds or None,
                "expiring_before": None if expiring_before is None else expiring_before.isoformat(),
            }  # fmt: skip
            path = f"/v1/channels/{segment(channel)}/messages"
            found = await self._http.get(caller, path, params=params, wait=seconds)
            page = found.read(lambda body: reading.page(body, reading.message))
            cursor = page.next_cursor if page.next_cursor is not None else cursor
            return page

        return await self._patience.until(ask, wait, lambda page: bool(page.items))

    async def get(self, caller: Caller, message_id: str) -> Message:
        return (await self._http.get(caller, f"/v1/messages/{segment(message_id)}")).read(reading.message)

    async def retract(self, caller: Caller, message_id: str) -> Message:
        answer = await self._http.call("DELETE", caller, f"/v1/messages/{segment(message_id)}", keyed=True)
        return answer.read(lambda body: reading.message(body["message"]))


def posted(answer: Answer, *, repeats: bool) -> Posted:
    """What every posting verb answers. `repeats`: whether the caller may have posted this before, with a key of its own."""
    replayed = repeats and answer.headers.get("X-Idempotent-Replay") == "true"
    return answer.read(
        lambda body: Posted(
            reading.message(body["message"]),
            body["next_cursor"],
            replayed,
            body["channel_created"],
            None if body["workers"] is None else reading.workers(body["workers"]),
            tuple(body["nearest"]),
        )
    )


def sent_chain(chain: object) -> object:
    """As a posting body has it; what is no chain goes as it is, for the server to refuse."""
    return {"id": chain.id, "hops": chain.hops} if isinstance(chain, Chain) else chain
