"""Holders that ask and posters that answer, among everything else that is done to a channel."""

from __future__ import annotations

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bus import Caller, Claim, Message, State
from bus.streams.replies import consumer

from .machine import ACTORS, ANN, BOB, Ground, TaskMachine, actors, callers, picks, tokens
from .model import Task, Verb

questions, answers = st.sampled_from(("red?", "blue?")), st.sampled_from(("yes", "no"))


class TalkMachine(TaskMachine):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.parked: dict[str, datetime] = {}

    @rule(number=picks, token=tokens, question=questions)
    @precondition(lambda self: self.held())
    def ask(self, number: int, token: str | None, question: str) -> None:
        """With the claim's token, without one, or with that of an earlier delivery."""
        claim, task = self.pick(number, self.held())
        shown = {"its own": claim.claim_token, "earlier": f"{claim.delivery - 1}~{claim.actor}"}.get(token or "")
        self.asked(self.caller_of(task), claim.actor, shown, task, question)

    @rule(number=picks, question=questions)
    @precondition(lambda self: self.claims)
    def ask_with_an_old_claim(self, number: int, question: str) -> None:
        claim, task = self.old(number)
        caller = next(caller for caller, actor in ACTORS if actor == claim.actor)
        self.asked(caller, claim.actor, claim.claim_token, task, question)

    def asked(self, caller: Caller, actor: str, token: str | None, task: Task, question: str) -> None:
        who, delivery = consumer(caller.key_id, actor), int(token.partition("~")[0]) if token else None
        found, _ = self.same(
            self.tasks.ask(caller, self.known(task.id), question, claim_token=token, actor=None if token else actor),
            lambda: self.model.ask(who, delivery, task, question),
        )
        if found:
            assert found.message.questions[-1].text == question
            self.parked[task.id] = found.lease_expires_at
            self.talk_agrees(caller, found.message, task)

    @rule(number=picks, actor=actors, own=st.booleans())
    @precondition(lambda self: self.model.tasks)
    def await_answer(self, number: int, actor: tuple[Caller, str], own: bool) -> None:
        """Looks at the fence and renews nothing."""
        task = self.any_task(number)
        caller, name = (self.caller_of(task), task.holder.partition("/")[2]) if own and task.holder and task.log else actor
        found, _ = self.same(
            self.tasks.await_answer(caller, self.known(task.id), actor=name),
            lambda: self.model.await_answer(consumer(caller.key_id, name), None, task),
        )
        if found:
            assert found.message.state is not None
            self.talk_agrees(caller, found.message, task)

    @rule(number=picks, who=callers, answer=answers)
    @precondition(lambda self: self.model.tasks)
    def answer(self, number: int, who: Caller, answer: str) -> None:
        """To a question that is open, as a rule; or to none."""
        asking = [task for task in self.model.unfinished() if task.asking]
        task = self.pick(number // 4, asking) if asking and number % 4 else self.any_task(number)
        found, _ = self.same(
            self.tasks.answer(who, self.known(task.id), answer), lambda: self.model.answer(who.key_id, task, answer)
        )
        if found:
            assert found.questions[-1].answer == answer
            assert found.state == task.state

    def act(self, verb: Verb, caller: Caller, actor: str, token: str | None, task: Task, ending: State, delayed: bool) -> None:
        super().act(verb, caller, actor, token, task, ending, delayed)
        if task.asking and not task.over:
            self.talk_agrees(ANN, self.run(self.ground.bus.messages.get(ANN, self.known(task.id))), task)

    def talk_agrees(self, who: Caller, found: Message, task: Task) -> None:
        """Questions, answers and the note, for those who may see the result."""
        holders = task.holder.partition("/")[0] if task.holder and found.hold else ""
        sees = who is ANN or who.key_id in (task.poster, holders)
        talk = task.talk if sees and task.outcome is None else []
        assert [(q.text, f"{q.key_id}/{q.actor}", q.answer) for q in found.questions] == [
            (asked.text, asked.by, asked.answer and asked.answer[0]) for asked in talk
        ]
        if found.hold:
            assert not task.asking or found.hold.lease_expires_at == self.parked[task.id], "a parked lease was moved"
            noted = found.hold.progress.note if found.hold.progress else None
            assert noted == (task.note if sees else None)

    def caller_of(self, task: Task) -> Caller:
        return ANN if task.holder and task.holder.startswith(ANN.key_id) else BOB

    def old(self, number: int) -> tuple[Claim, Task]:
        claim = self.pick(number, self.claims[::-1])
        return claim, self.model.tasks[claim.id.rpartition(":")[2]]
