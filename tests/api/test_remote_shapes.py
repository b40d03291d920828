"""A value that goes through the API's JSON and back is the value that it was: the two wirings cannot be told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from api import shapes
from bus.models import (
    AccessRequest,
    Actor,
    Channel,
    ChannelSummary,
    Claim,
    Counts,
    DeadLetter,
    Delivery,
    Hold,
    Message,
    Outcome,
    Page,
    Receipt,
    State,
)
from bus.remote import reading

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
moments = st.integers(0, 250_000_000_000_000).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
whole = st.integers(0, 2**53)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, values, max_size=3)
seconds = st.integers(1, 10**6).map(lambda n: timedelta(seconds=n))
milliseconds = st.integers(1000, 10**8).map(lambda n: timedelta(milliseconds=n))
days = st.integers(1, 365).map(lambda n: timedelta(days=n))

counts = st.builds(Counts, *[whole] * 6, st.none() | moments)
outcomes = st.builds(
    Outcome, state=st.sampled_from([state for state in State if state.final]), result=values, reason=st.none() | texts,
    actor=st.none() | texts, key_id=st.none() | texts, delivery=whole, claimed_at=st.none() | moments, finished_at=moments,
)  # fmt: skip
base = st.builds(
    Message, id=texts, channel=texts, content=texts, metadata=objects, posted_at=moments, expires_at=moments,
    label=st.none() | texts, actor=st.none() | texts, key_id=st.none() | texts, state=st.none(), available_at=st.none(),
    deliveries=whole, hold=st.none(), outcome=st.none(), receipts=st.just(()), archived=st.booleans(),
    result_withheld=st.booleans(),
)  # fmt: skip
waiting = base.map(lambda m: replace(m, state=State.WAITING))
delayed = st.builds(lambda m, at: replace(m, state=State.DELAYED, available_at=at), base, moments)
held = st.builds(
    lambda m, hold: replace(m, state=State.IN_FLIGHT, hold=hold),
    base,
    st.builds(Hold, texts, texts, whole, moments, moments, st.booleans()),
)
finished = st.builds(lambda m, outcome: replace(m, state=outcome.state, outcome=outcome), base, outcomes)
forgotten = base.map(lambda m: replace(m, state=State.DONE))
news = st.builds(
    lambda m, receipts: replace(m, receipts=tuple(receipts)), base, st.lists(st.builds(Receipt, texts, moments), max_size=3)
)
messages = waiting | delayed | held | finished | forgotten | news


def sent(payload: Any) -> Any:
    """As it arrives: bytes of JSON, read by another program."""
    return json.loads(to_json(payload))


@given(messages)
def test_messages(message: Message) -> None:
    """In whatever state: waiting, delayed, held, finished, archived, news with its readers."""
    assert reading.message(sent(shapes.message(message))) == message


@given(messages, texts, texts, whole, moments)
def test_claims(message: Message, actor: str, token: str, delivery: int, until: datetime) -> None:
    """By whichever of the three answers it comes."""
    claim = Claim(message, actor, token, delivery, until)
    for found, where in (
        (shapes.claim(claim), "message"),
        (shapes.heartbeat(claim), "message"),
        (shapes.claimed_task(claim, None), "claimed"),
    ):
        body = sent(found)
        assert reading.claim(body, body[where]) == claim


@given(st.lists(messages, max_size=2), st.none() | texts, whole)
def test_pages(items: list[Message], cursor: str | None, missed: int) -> None:
    """With what was missed."""
    page = Page(items, cursor, missed)
    assert reading.page(sent(shapes.message_page(page, 50)), reading.message) == page


@given(
    st.builds(
        Channel, description=texts, pinned_message=st.none() | texts, ttl=seconds, retention=days, lease=milliseconds,
        max_deliveries=whole, max_messages=st.none() | whole, max_writes_per_minute=st.none() | whole, created_at=moments,
        updated_at=moments,
    )
)  # fmt: skip
def test_channels(channel: Channel) -> None:
    """Durations keep their worth through the units of the wire."""
    assert reading.channel(sent(shapes.channel(channel))) == channel


@given(st.builds(ChannelSummary, created_at=moments, counts=counts))
def test_lists_of_channels(summary: ChannelSummary) -> None:
    """With counts."""
    assert reading.page(sent(shapes.channel_page(Page([summary], None), 50)), reading.summary).items == [summary]


@given(counts)
def test_counts(found: Counts) -> None:
    """Numbers and the next moment."""
    assert reading.counts(sent(shapes.counts(found))) == found


@given(
    st.builds(
        DeadLetter, texts, messages, texts, moments, st.lists(st.builds(Delivery, claimed_at=moments), max_size=2).map(tuple)
    )
)
def test_dead_letters(letter: DeadLetter) -> None:
    """With the story of each delivery."""
    assert reading.page(sent(shapes.dead_letter_page(Page([letter], None), 50)), reading.dead_letter).items == [letter]


@given(st.builds(Actor, metadata=objects, created_at=moments), st.builds(AccessRequest, created_at=moments))
def test_who_calls(actor: Actor, request: AccessRequest) -> None:
    """Actors and access requests."""
    assert reading.actor(sent(shapes.actor(actor, "owner"))) == actor
    assert reading.access_request(sent(shapes.access_request(request))) == request
