"""Bad input: refused with the field named, and nothing is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from bus import Bus, Caller, Mode, NewChannel, errors

from .verbs import held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio

Verb = Callable[[Bus, Caller, str, str], Awaitable[object]]
"""A call by a caller, on a channel, or on a task that the caller holds there."""

DEEP: list[Any] = []
for _ in range(70):
    DEEP = [DEEP]
NO_TEXT = ["", "  \n ", "\ud800"]
NO_NAMES = ["", " ", "x" * 201, "a\x00b", "a\u200bb", "a\u202eb", "a\ud800b", "a\nb"]


def _post(**fields: Any) -> Verb:
    options = {"content": "x", **fields}
    return lambda bus, caller, channel, _: bus.tasks.post(caller, **{"channel": channel, **options})


def _create(**fields: Any) -> Verb:
    return lambda bus, caller, channel, _: bus.channels.create(caller, NewChannel(**{"name": f"{channel}-new", **fields}))


def _claim(**fields: Any) -> Verb:
    return lambda bus, caller, channel, _: bus.tasks.claim(caller, **{"channels": channel, **fields})


def _act(verb: str, **fields: Any) -> Verb:
    return lambda bus, caller, _, task: cast("Awaitable[object]", getattr(bus.tasks, verb)(caller, task, **fields))


def _read(**fields: Any) -> Verb:
    return lambda bus, caller, channel, _: bus.messages.subscribe(caller, channel, **fields)


def _actor(**fields: Any) -> Verb:
    return lambda bus, caller, channel, _: bus.actors.create(caller, **{"name": channel, **fields})


def _issue(label: str) -> Verb:
    return lambda bus, _, __, ___: bus.credentials.issue(label)


DAY = timedelta(days=1)
CASES: list[tuple[str, str, Verb]] = [
    *[("content", f"post {text!r}", _post(content=text)) for text in NO_TEXT],
    *[("channel", f"post to {name[:9]!r}", _post(channel=name)) for name in (*NO_NAMES, "a{b", "a}b", "a/b")],
    ("metadata", "post NaN", _post(metadata={"x": float("nan")})),
    ("metadata", "post infinity", _post(metadata={"x": float("inf")})),
    ("metadata", "post a number past a double", _post(metadata={"x": 2**1024})),
    ("metadata", "post deep", _post(metadata={"x": DEEP})),
    ("metadata", "post surrogate", _post(metadata={"x": "\ud800"})),
    ("actor_label", "post blank label", _post(label=" ")),
    ("actor_label", "post label with zero width", _post(label="a\u200bb")),
    *[("actor", f"post as {name[:9]!r}", _post(actor=name)) for name in (*NO_NAMES, "_")],
    ("delay_seconds", "post negative delay", _post(delay=timedelta(seconds=-1))),
    ("delay_seconds", "post delay over ttl", _post(delay=DAY + timedelta(seconds=1))),
    *[
        ("idempotency_key", f"post key {key[:9]!r}", _post(idempotency_key=key))
        for key in ("", "a b", "\u00e9", "k" * 201, "a\nb")
    ],
    *[("name", f"create {name[:9]!r}", _create(name=name)) for name in (*NO_NAMES, "a{b", "a/b")],
    ("ttl_seconds", "create short ttl", _create(ttl=timedelta(seconds=299))),
    ("ttl_seconds", "create long ttl", _create(ttl=30 * DAY + timedelta(seconds=1))),
    ("retention_days", "create short retention", _create(retention=timedelta(0))),
    ("retention_days", "create long retention", _create(retention=366 * DAY)),
    ("ttl_seconds", "create no ttl", _create(ttl=timedelta(0))),
    ("lease_seconds", "create short lease", _create(lease=timedelta(milliseconds=500))),
    ("lease_seconds", "create no lease", _create(lease=timedelta(0))),
    ("lease_seconds", "create long lease", _create(lease=DAY + timedelta(seconds=1))),
    *[
        (field, f"create {field} {value}", _create(**{field: value}))
        for field, values in (
            ("max_deliveries", (0, 1001, -1)), ("max_messages", (0, 1_000_001)), ("max_writes_per_minute", (0, 1_000_001)),
        )
        for value in values
    ],
    ("description", "create long description", _create(description="x" * 2001)),
    ("description", "create surrogate", _create(description="\ud800")),
    ("pinned_message", "create long pin", _create(pinned_message="x" * 10_001)),
    ("channels", "claim nowhere", _claim(channels=[])),
    ("channels", "claim everywhere", _claim(channels=[f"c{n}" for n in range(21)])),
    ("channel", "claim bad name", _claim(channels=["a{b"])),
    ("lease_seconds", "claim short lease", _claim(lease=timedelta(0))),
    ("lease_seconds", "claim long lease", _claim(lease=DAY * 2)),
    ("actor", "claim as nobody", _claim(actor="_")),
    ("lease_seconds", "heartbeat long lease", _act("heartbeat", lease=DAY * 2)),
    ("lease_seconds", "claim one with long lease", _act("claim_message", lease=DAY * 2)),
    *[
        ("claim_token", f"{verb} {token!r}", _act(verb, claim_token=token))
        for verb in ("heartbeat", "await_answer", "release", "fail", "ack")
        for token in ("", "1", "~", "x~y", "-1~y", "9" * 16 + "~y", "1~", "1~_", "1~a\x00")
    ],
    *[("claim_token", f"ask {token!r}", _act("ask", question="x", claim_token=token)) for token in ("", "1", "1~_")],
    *[("question", f"ask {text!r}", _act("ask", question=text)) for text in NO_TEXT],
    *[("answer", f"answer {text!r}", _act("answer", answer=text)) for text in NO_TEXT],
    ("actor_label", "answer blank label", _act("answer", answer="x", label=" ")),
    *[("note", f"heartbeat {text[:9]!r}", _act("heartbeat", note=text)) for text in (*NO_TEXT, "x" * 501)],
    ("actor", "ack as another than the token's", _act("ack", claim_token="1~somebody", actor="other")),
    ("delay_seconds", "release negative", _act("release", delay=timedelta(seconds=-1))),
    ("delay_seconds", "release for long", _act("release", delay=DAY * 2)),
    ("reason", "release long reason", _act("release", reason="x" * 2001)),
    ("reason", "fail surrogate", _act("fail", reason="\ud800")),
    ("reason", "cancel long reason", _act("cancel", reason="x" * 2001)),
    ("status", "ack odd status", _act("ack", status="dead")),
    ("result", "ack NaN", _act("ack", result=float("nan"))),
    ("result", "ack deep", _act("ack", result=DEEP)),
    ("result", "ack surrogate", _act("ack", result={"x": "\ud800"})),
    ("reason", "ack long reason", _act("ack", reason="x" * 2001)),
    *[("limit", f"read {limit}", _read(limit=limit)) for limit in (0, -1, 101)],
    ("status", "read odd status", _read(status="dead")),
    *[("since", f"read since {since!r}", _read(since=since)) for since in ("x", "1", "-1", "2026-13-01", "1-1-1", "1" * 30)],
    ("actor", "read as nobody", _read(actor="_")),
    ("limit", "list none", lambda bus, caller, _, __: bus.channels.list(caller, limit=0)),
    ("limit", "list too many", lambda bus, caller, _, __: bus.channels.list(caller, limit=101)),
    ("cursor", "list cursor", lambda bus, caller, _, __: bus.channels.list(caller, cursor="x")),
    ("limit", "dead letters", lambda bus, caller, channel, _: bus.tasks.dead_letters(caller, channel, limit=0)),
    ("cursor", "dead letters cursor", lambda bus, caller, channel, _: bus.tasks.dead_letters(caller, channel, cursor="x")),
    ("ids", "redrive none", lambda bus, caller, channel, _: bus.tasks.redrive(caller, channel, [])),
    ("ids", "redrive many", lambda bus, c, channel, _: bus.tasks.redrive(c, channel, [f"{channel}:1-{n}" for n in range(101)])),
    ("ids", "redrive nonsense", lambda bus, caller, channel, _: bus.tasks.redrive(caller, channel, ["x"])),
    ("ids", "redrive elsewhere", lambda bus, caller, channel, _: bus.tasks.redrive(caller, channel, ["elsewhere:1-1"])),
    ("reason", "request access", lambda bus, caller, channel, _: bus.access.request_access(caller, channel, reason="x" * 2001)),
    *[("name", f"actor {name[:9]!r}", _actor(name=name)) for name in (*NO_NAMES, "_")],
    ("description", "actor description", _actor(description="x" * 2001)),
    ("metadata", "actor metadata", _actor(metadata={"x": float("nan")})),
    *[("agent_label", f"issue {text!r}", _issue(text)) for text in NO_TEXT],
]  # fmt: skip


@pytest.mark.parametrize("field", sorted({field for field, _, _ in CASES}))
async def test_bad_input_is_refused_with_its_field_and_stores_nothing(
    world: World, bus: Bus, ann: Caller, channel: str, field: str
) -> None:
    """The caller learns what to mend; the store is as it was."""
    task = await held(bus, ann, ann, channel)
    before = await world.everything()
    for what, call in [(what, call) for of, what, call in CASES if of == field]:
        with pytest.raises(errors.InvalidInput) as refused:
            await call(bus, ann, channel, task.id)
        assert refused.value.details["field"] == field, what
        assert field in refused.value.message, what
        assert await world.everything() == before, what


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("content", _post(content="x" * 65_537)),
        ("content", _post(content="\u00e9" * 32_769)),
        ("metadata", _post(metadata={"x": "y" * 16_384})),
        ("result", _act("ack", result="x" * 65_536)),
    ],
    ids=["content", "content in bytes", "metadata", "result"],
)
async def test_what_is_too_large_is_refused_with_its_sizes(
    world: World, bus: Bus, ann: Caller, channel: str, field: str, call: Verb
) -> None:
    """Limits count UTF-8 bytes; the error says how many were allowed and how many came."""
    task = await held(bus, ann, ann, channel)
    before = await world.everything()
    with pytest.raises(errors.ContentTooLarge) as refused:
        await call(bus, ann, channel, task.id)
    assert refused.value.details["received_bytes"] > refused.value.details["max_content_bytes"]
    assert refused.value.details["field"] == field
    assert await world.everything() == before


async def test_what_is_just_within_its_limit_is_taken(bus: Bus, ann: Caller, channel: str) -> None:
    """Bounds are inclusive, and what is at them comes back whole."""
    content, metadata, result = "\u00e9" * 32_768, {"x": "y" * 16_376}, "x" * 65_534
    message = await posted(bus, ann, channel, content, metadata=metadata, delay=timedelta(0), label="l" * 128)
    claim = await bus.tasks.claim_message(ann, message.id, lease=DAY)
    acked = (await bus.tasks.ack(ann, claim.id, result=result, reason="r" * 2000)).message
    assert acked.outcome is not None
    assert (acked.content, acked.metadata, acked.outcome.result, acked.outcome.reason) == (
        content,
        metadata,
        result,
        "r" * 2000,
    )
    assert (await bus.tasks.post(ann, "n" * 200, "x", idempotency_key="k" * 200, delay=DAY)).message.channel == "n" * 200


async def test_a_delay_is_for_tasks_only(bus: Bus, ann: Caller, channel: str) -> None:
    """News is read when it is there."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.messages.post(ann, channel, "x", delay=timedelta(seconds=1))
    assert refused.value.details["field"] == "delay_seconds"
