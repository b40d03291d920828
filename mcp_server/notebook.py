"""What an agent's session knows of its own doings: tasks it holds and posted, what became of them, who mentioned it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bus import Claim, Message, State
from bus.awaiting import finished
from bus.models import Chain, Page
from bus.models import Mention as Mentioned

IDLE_SECONDS: Final = 900.0
"""A task that was not touched for so long is called to mind on the answer of a call about something else."""
STALE_SECONDS: Final = 1800.0
"""From then on its poster sees it as stale."""
NEGLECTED_SECONDS: Final = 14_400.0
"""From then on its lease is no longer renewed."""
_JUST_FINISHED_SECONDS: Final = 60.0
_MOST_POSTED: Final = 100
_MOST_LOST: Final = 100
_FINAL: Final = frozenset(state.value for state in State if state.final)


@dataclass(slots=True)
class Work:
    """A task that is held. Times are seconds of the notebook's clock. `ends`: its lease, 0 where that is renewed for its
    holder. `reminded`: 1 that it lies or its lease runs out, 2 that it is stale. `question`: '' when none is open, `asked`,
    or `answered`, which the holder does not know yet."""

    actor: str
    delivery: int
    claimed_at: float
    touched_at: float
    chain: Chain | None = None
    ends: float = 0
    reminded: int = 0
    question: str = ""


@dataclass(slots=True)
class Errand:
    """A task that was posted. `found`: its final state, or its open question by its time, '' for neither; `told`: which of
    them was told."""

    found: str = ""
    told: str = ""

    @property
    def over(self) -> bool:
        """It has its outcome."""
        return self.found in _FINAL

    @property
    def news(self) -> bool:
        """There is an outcome or a question that was not told."""
        return self.found not in ("", self.told)


@dataclass(slots=True)
class Mentions:
    """`since` None: nobody has looked yet; what was there before that is no news."""

    since: str | None = None
    untold: int = 0
    latest: str = ""


@dataclass(slots=True)
class Notebook:
    """Ids, counts, times and the names that tasks are held under: neither claim tokens nor what other agents wrote."""

    now: Callable[[], float]
    held: dict[str, Work] = field(default_factory=dict[str, Work])
    posted: OrderedDict[str, Errand] = field(default_factory=OrderedDict[str, Errand])
    """Tasks whose outcome has not been read yet, the oldest first."""
    lost: OrderedDict[str, str] = field(default_factory=OrderedDict[str, str])
    """Claims that ended without their holder, who has not been told: the error's code, or `left_alone`."""
    mentions: Mentions = field(default_factory=Mentions)
    finished: tuple[Chain, float] | None = None
    calls: list[frozenset[str]] = field(default_factory=list[frozenset[str]], compare=False)
    """What the calls that are on their way are about: their own answers tell it."""

    @property
    def awaited(self) -> frozenset[str]:
        """The messages that some call on its way is about."""
        return frozenset[str]().union(*self.calls)

    def hold(self, claim: Claim) -> None:
        """Claimed, or touched while held."""
        now, known = self.now(), self.held.get(claim.id)
        since = known.claimed_at if known is not None and known.delivery == claim.delivery else now
        asked = "asked" if claim.message.state is State.INPUT_REQUIRED else ""
        self.held[claim.id] = Work(claim.actor, claim.delivery, since, now, claim.message.chain, question=asked)
        self.lost.pop(claim.id, None)

    def renewed(self, message_id: str, *, asked: bool) -> None:
        """It stands so, without its holder having done anything. An answer gives the holder all the time anew."""
        if (work := self.held.get(message_id)) is None:
            return
        if work.question == "asked" and not asked:
            work.question, work.touched_at, work.reminded = "answered", self.now(), 0
        elif asked:
            work.question = "asked"

    def touch(self, message_id: str) -> None:
        """The holder has done something about it."""
        if (work := self.held.get(message_id)) is not None:
            work.touched_at, work.reminded = self.now(), 0

    def remind(self, message_id: str) -> None:
        """The holder has just been told that it holds this."""
        if (work := self.held.get(message_id)) is not None:
            work.reminded = max(work.reminded, 1)

    def drop(self, message_id: str) -> None:
        """It is finished or given back, or its holder has just been told that it is gone."""
        work = self.held.pop(message_id, None)
        if work is not None and work.chain is not None:
            self.finished = (work.chain, self.now())
        self.lost.pop(message_id, None)

    def lose(self, message_id: str, code: str) -> None:
        """The claim ended behind its holder's back."""
        self.drop(message_id)
        self.lost[message_id] = code
        while len(self.lost) > _MOST_LOST:
            self.lost.popitem(last=False)

    def neglected(self, message_id: str) -> bool:
        """Whether it has been left alone for so long that nobody should keep it for its holder. A question waits."""
        work = self.held.get(message_id)
        return work is not None and work.question != "asked" and self.now() - work.touched_at >= NEGLECTED_SECONDS

    def note_posted(self, message_id: str) -> None:
        """What becomes of it is to be told. The newest hundred are."""
        self.posted.setdefault(message_id, Errand())
        while len(self.posted) > _MOST_POSTED:
            self.posted.popitem(last=False)

    def find(self, message: Message) -> None:
        """What the bus says of a posted task now."""
        if (errand := self.posted.get(message.id)) is not None:
            errand.found = _stand(message)

    def seen(self, message: Message) -> None:
        """The agent is just being shown this message, so it is no news."""
        if finished(message):
            self.posted.pop(message.id, None)
        elif (errand := self.posted.get(message.id)) is not None:
            errand.found = errand.told = _stand(message)

    def note_mentions(self, page: Page[Mentioned]) -> None:
        """A page of what came after `mentions.since`; the first one only says where to begin."""
        first, found = self.mentions.since is None, page.items
        self.mentions.since = found[-1].cursor if found else self.mentions.since or page.next_cursor or "0"
        if found and not first:
            self.mentions.untold += len(found)
            self.mentions.latest = found[-1].message_id

    def chain(self, actor: str | None = None) -> Chain | None:
        """Of the task that is worked on: the newest claimed one, by `actor` where given; else the last finished one, if
        that is less than a minute ago, because who finishes first and posts then goes round in the same circle."""
        held = [work for work in self.held.values() if actor in (None, work.actor)]
        if held:
            return max(held, key=lambda work: work.claimed_at).chain
        if self.finished is not None and self.now() - self.finished[1] <= _JUST_FINISHED_SECONDS:
            return self.finished[0]
        return None

    def untell(self) -> None:
        """The agent has forgotten what it was told."""
        for errand in self.posted.values():
            errand.told = ""
        for work in self.held.values():
            work.reminded = 0


def _stand(message: Message) -> str:
    if message.state is not None and message.state.final:
        return message.state.value
    if message.state is not State.INPUT_REQUIRED:
        return ""
    return f"asked {message.questions[-1].asked_at.isoformat()}" if message.questions else "asked"
