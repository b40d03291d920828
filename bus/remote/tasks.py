"""Tasks behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from bus import awaiting
from bus.errors import AlreadyFinished
from bus.messages import NO_WAIT
from bus.models import Acked, Caller, Chain, Claim, DeadLetter, Message, Mode, Page, Posted, Redriven, State

from . import reading
from .http import Answer, Http, segment
from .messages import posted, sent_chain
from .patience import Patience


class RemoteTasks:
    def __init__(self, http: Http, patience: Patience) -> None:
        self._http = http
        self._patience = patience

    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        body = {
            "channel": channel,
            "content": content,
            "metadata": None if metadata is None else dict(metadata),
            "actor": actor,
            "actor_label": label,
            "delay_seconds": delay.total_seconds() or None,
            "chain": sent_chain(chain),
        }
        answer = await self._http.post(caller, "/v1/tasks/post", body, idempotency_key=idempotency_key, keyed=True)
        return posted(answer, repeats=idempotency_key is not None)

    async def claim(
        self,
        caller: Caller,
        channels: str | Sequence[str],
        *,
        actor: str | None = None,
        lease: timedelta | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim | None:
        names = [channels] if isinstance(channels, str) else list(channels)

        async def ask(seconds: float) -> Claim | None:
            body = {"channels": names, "actor": actor, "lease_seconds": _seconds(lease), "wait": seconds or None}
            # Without a wait it is not sent twice: what a lost answer brought would be held by nobody. A wait asks again all
            # the same, because the server takes back what it gave to a connection that is gone.
            found = await self._http.post(caller, "/v1/tasks/claim", body, wait=seconds)
            return found.read(lambda body: None if body["claimed"] is None else reading.claim(body, body["claimed"]))

        return await self._patience.until(ask, wait, lambda claim: claim is not None)

    async def claim_message(
        self, caller: Caller, message_id: str, *, actor: str | None = None, lease: timedelta | None = None
    ) -> Claim:
        found = await self._act(caller, message_id, "claim", repeatable=True, actor=actor, lease_seconds=_seconds(lease))
        if finished := found.read(_finished_before):
            told = f"you finished this task before ({finished}); nothing was changed"
            raise AlreadyFinished(told, state=finished, by_caller=True)
        return found.read(_held)

    async def heartbeat(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        lease: timedelta | None = None,
        note: str | None = None,
        automatic: bool = False,
    ) -> Claim:
        found = await self._act(
            caller, message_id, "heartbeat", repeatable=True, actor=actor, claim_token=claim_token,
            lease_seconds=_seconds(lease), note=note, automatic=automatic or None,
        )  # fmt: skip
        return found.read(_held)

    async def ask(
        self,
        caller: Caller,
        message_id: str,
        question: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
    ) -> Claim:
        found = await self._act(caller, message_id, "ask", actor=actor, claim_token=claim_token, question=question)
        return found.read(_held)

    async def await_answer(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim:
        async def ask(seconds: float) -> Claim:
            body = {"actor": actor, "claim_token": claim_token, "wait": seconds or None}
            path = f"/v1/messages/{segment(message_id)}/await-answer"
            found = await self._http.post(caller, path, body, wait=seconds, repeatable=True)
            return found.read(_held)

        return await self._patience.until(ask, wait, lambda claim: claim.message.state is not State.INPUT_REQUIRED)

    async def answer(self, caller: Caller, message_id: str, answer: str, *, label: str | None = None) -> Message:
        return await self._settle(caller, message_id, "answer", answer=answer, actor_label=label)

    async def release(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        delay: timedelta = NO_WAIT,
        reason: str | None = None,
    ) -> Message:
        return await self._settle(
            caller, message_id, "release", actor=actor, claim_token=claim_token, reason=reason,
            delay_seconds=delay.total_seconds() or None,
        )  # fmt: skip

    async def fail(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        reason: str | None = None,
    ) -> Message:
        return await self._settle(caller, message_id, "fail", actor=actor, claim_token=claim_token, reason=reason)

    async def ack(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        status: Literal["done", "failed"] = "done",
        result: Any = None,
        reason: str | None = None,
    ) -> Acked:
        found = await self._act(
            caller, message_id, "ack", repeatable=True, mode=Mode.CLAIMABLE.value,
            actor=actor, claim_token=claim_token, status=status, result=result, reason=reason,
        )  # fmt: skip
        return found.read(reading.acked)

    async def cancel(self, caller: Caller, message_id: str, *, reason: str | None = None) -> Message:
        return (await self._act(caller, message_id, "cancel", repeatable=True, reason=reason)).read(_message)

    async def await_result(self, caller: Caller, message_id: str, *, wait: timedelta = NO_WAIT) -> Message:
        async def ask(seconds: float) -> Message:
            path = f"/v1/tasks/{segment(message_id)}/result"
            found = await self._http.get(caller, path, params={"wait": seconds}, wait=seconds)
            return found.read(_message)

        return await self._patience.until(ask, wait, lambda message: awaiting.enough((message,)))

    async def await_results(
        self,
        caller: Caller,
        message_ids: Sequence[str],
        *,
        need: awaiting.Need = "all",
        wait: timedelta = NO_WAIT,
    ) -> Sequence[Message]:
        ids = message_ids if isinstance(message_ids, str) else list(message_ids)

        async def ask(seconds: float) -> Sequence[Message]:
            body = {"message_ids": ids, "need": need, "wait": seconds or None}
            found = await self._http.post(caller, "/v1/tasks/results", body, wait=seconds, repeatable=True)
            return found.read(lambda body: [_message(each) for each in body["results"]])

        return await self._patience.until(ask, wait, lambda messages: awaiting.enough(messages, need))

    async def dead_letters(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DeadLetter]:
        path = f"/v1/channels/{segment(channel)}/dead-letters"
        found = await self._http.get(caller, path, params={"limit": limit, "cursor": cursor})
        return found.read(lambda body: reading.page(body, reading.dead_letter))

    async def redrive(self, caller: Caller, channel: str, dead_letter_ids: Sequence[str]) -> Sequence[Redriven]:
        path = f"/v1/channels/{segment(channel)}/redrive"
        answer = await self._http.post(caller, path, {"ids": list(dead_letter_ids)}, keyed=True)
        return answer.read(lambda body: [Redriven(each["dead_letter_id"], each["message_id"]) for each in body["redriven"]])

    async def _act(self, caller: Caller, message_id: str, verb: str, *, repeatable: bool = False, **body: Any) -> Answer:
        path = f"/v1/messages/{segment(message_id)}/{verb}"
        return await self._http.post(caller, path, body, repeatable=repeatable, keyed=not repeatable)

    async def _settle(self, caller: Caller, message_id: str, verb: str, **body: Any) -> Message:
        return (await self._act(caller, message_id, verb, **body)).read(_message)


def _seconds(lease: timedelta | None) -> float | None:
    return None if lease is None else lease.total_seconds()


def _held(body: reading.Json) -> Claim:
    return reading.claim(body, body["message"])


def _finished_before(body: reading.Json) -> str | None:
    """The outcome that this very actor gave the task: the API answers that as a success."""
    return body["message"]["state"] if body["status"] == "already_acknowledged" else None


def _message(body: reading.Json) -> Message:
    return reading.message(body["message"])
