"""A value that goes through the API's JSON and back is the value that it was: the two wirings cannot be told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from api.shapes import callers as caller_shapes
from api.shapes import channels as channel_shapes
from api.shapes import invitations as invitation_shapes
from api.shapes import members as member_shapes
from api.shapes import messages as message_shapes
from api.shapes import sessions as session_shapes
from bus.models import (
    AccessRequest,
    Acked,
    Actor,
    ArchivedMessage,
    Channel,
    ChannelMetrics,
    ChannelSummary,
    Claim,
    Counts,
    DeadLetter,
    Delivery,
    Hold,
    Invitation,
    Member,
    MembershipEvent,
    Mention,
    Message,
    Outcome,
    Page,
    Receipt,
    RelatedChannel,
    Session,
    State,
)
from bus.remote import invitations as remote_invitations
from bus.remote import members as remote_members
from bus.remote import reading
from bus.remote import sessions as remote_sessions

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
    result_withheld=st.booleans(), mentions=st.lists(texts, max_size=3).map(tuple),
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
    assert reading.message(sent(message_shapes.message(message))) == message


@given(messages, texts, texts, whole, moments)
def test_claims(message: Message, actor: str, token: str, delivery: int, until: datetime) -> None:
    """By whichever of the three answers it comes; the first says whether it was held before."""
    claim = Claim(message, actor, token, delivery, until)
    again = replace(claim, held_before=True)
    for expected, found, where in (
        (claim, message_shapes.claim(claim), "message"),
        (again, message_shapes.claim(again), "message"),
        (claim, message_shapes.heartbeat(claim), "message"),
        (claim, message_shapes.claimed_task(claim, None), "claimed"),
    ):
        body = sent(found)
        assert reading.claim(body, body[where]) == expected


@given(messages, st.booleans())
def test_acks(message: Message, repeated: bool) -> None:
    """With whether it changed anything."""
    acked = Acked(message, repeated)
    assert reading.acked(sent(message_shapes.acked(acked))) == acked


@given(st.lists(messages, max_size=2), st.none() | texts, whole)
def test_pages(items: list[Message], cursor: str | None, missed: int) -> None:
    """With what was missed."""
    page = Page(items, cursor, missed)
    assert reading.page(sent(message_shapes.message_page(page, 50)), reading.message) == page


@given(
    st.builds(
        Channel, description=texts, pinned_message=st.none() | texts, ttl=seconds, retention=days, lease=milliseconds,
        max_deliveries=whole, max_messages=st.none() | whole, max_writes_per_minute=st.none() | whole, created_at=moments,
        updated_at=moments, metadata_schema=objects, aliases=st.lists(texts, max_size=2).map(tuple),
        related_channels=st.lists(st.builds(RelatedChannel, texts, texts), max_size=2).map(tuple),
    )
)  # fmt: skip
def test_channels(channel: Channel) -> None:
    """Durations keep their worth through the units of the wire."""
    assert reading.channel(sent(channel_shapes.channel(channel))) == channel


@given(st.builds(ChannelSummary, created_at=moments, counts=counts))
def test_lists_of_channels(summary: ChannelSummary) -> None:
    """With counts."""
    assert reading.page(sent(channel_shapes.channel_page(Page([summary], None), 50)), reading.summary).items == [summary]


@given(st.builds(ArchivedMessage, messages, moments), st.none() | texts)
def test_history(archived: ArchivedMessage, cursor: str | None) -> None:
    """Messages with the moment when they left."""
    page = Page([archived], cursor)
    assert reading.page(sent(channel_shapes.history_page(page, 50)), reading.archived) == page


@given(st.builds(ChannelMetrics, counts, whole, st.none() | milliseconds, moments))
def test_metrics(metrics: ChannelMetrics) -> None:
    """Durations in whole milliseconds."""
    assert reading.channel_metrics(sent(channel_shapes.channel_metrics("writers", metrics))) == metrics


@given(counts)
def test_counts(found: Counts) -> None:
    """Numbers and the next moment."""
    assert reading.counts(sent(channel_shapes.counts(found))) == found


@given(
    st.builds(
        DeadLetter, texts, messages, texts, moments, st.lists(st.builds(Delivery, claimed_at=moments), max_size=2).map(tuple)
    )
)
def test_dead_letters(letter: DeadLetter) -> None:
    """With the story of each delivery."""
    assert reading.page(sent(message_shapes.dead_letter_page(Page([letter], None), 50)), reading.dead_letter).items == [letter]


@given(st.builds(Actor, metadata=objects, created_at=moments), st.builds(AccessRequest, created_at=moments))
def test_who_calls(actor: Actor, request: AccessRequest) -> None:
    """Actors and access requests."""
    assert reading.actor(sent(caller_shapes.actor(actor))) == actor
    assert reading.access_request(sent(caller_shapes.access_request(request))) == request


@given(st.lists(st.builds(Mention, mentioned_at=moments), max_size=2), st.none() | texts)
def test_where_an_actor_was_mentioned(mentions: list[Mention], cursor: str | None) -> None:
    """A page of mentions."""
    page = Page(mentions, cursor)
    assert reading.page(sent(caller_shapes.mention_page(page, 50)), reading.mention) == page


@given(
    st.builds(Member, granted_at=moments),
    st.lists(st.builds(MembershipEvent, created_at=moments, expires_at=moments), max_size=2),
    st.builds(Invitation, created_at=moments, expires_at=moments, revoked_at=st.none() | moments),
    st.none() | texts,
)
def test_who_may_enter(member: Member, events: list[MembershipEvent], invitation: Invitation, cursor: str | None) -> None:
    """Members, what happened to them, and invitations."""
    assert remote_members.member(sent(member_shapes.member(member))) == member
    page = Page(events, cursor)
    assert reading.page(sent(member_shapes.event_page(page, 50)), remote_members.membership_event) == page
    assert remote_invitations.invitation(sent(invitation_shapes.invitation(invitation))) == invitation


@given(st.builds(Session, state=objects, created_at=moments, updated_at=moments, expires_at=moments))
def test_sessions(session: Session) -> None:
    """With whatever state."""
    assert remote_sessions.session(sent(session_shapes.session(session))) == session
