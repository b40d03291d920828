"""The OpenAPI document put to the test: whatever it allows, and much that it does not, gets an answer that it describes.

The suite runs the short form, the same requests each time. `make fuzz` takes longer, and other requests each time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase
from schemathesis import Case, Response
from schemathesis.core.failures import FailureGroup

from .fuzzing import EXAMPLES, LONG, Target, checks_for, document, serving

SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as found:
        yield found


@document.parametrize()
@SETTINGS
def test_every_answer_is_as_the_document_says(case: Case, target: Target) -> None:
    """No 5xx, no undocumented status or code, no body that breaks its schema, whatever is sent and by whom."""
    target.furnish_for(case.operation.label)
    headers = target.aim(case)
    case.call_and_validate(base_url=target.base_url, session=target.session, headers=headers, checks=checks_for(case.path))


def test_what_answers_lead_to_is_as_the_document_says(target: Target) -> None:
    """The same in sequences: what one answer names, the next request asks for, changes or deletes."""
    found: list[str] = []

    class Walk(document.as_state_machine()):
        def setup(self) -> None:
            target.furnish()

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": target.base_url, "session": target.session, "headers": target.headers()}

        def validate_response(self, response: Response, case: Case, **_: Any) -> None:
            try:
                case.validate_response(response, checks=checks_for(case.path), headers=target.headers())
            except FailureGroup as failures:
                found.append(str(failures))

    # The server remembers, so a walk cannot be walked again: each is the one random example of a run of its own.
    steps = hypothesis.settings(SETTINGS, max_examples=2, phases=[Phase.generate], stateful_step_count=30 if LONG else 12)
    for each in range(max(EXAMPLES // 3, 3)):
        hypothesis.seed(random.getrandbits(64) if LONG else each)(Walk)
        Walk.run(settings=steps)
    assert not found, "\n".join(found)
