"""The OpenAPI document put to the test: whatever it allows, and much that it does not, gets an answer that it describes."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from schemathesis import Case

from .fuzzing import EXAMPLES, Target, checks_for, document, serving


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as found:
        found.furnish()
        yield found


@pytest.fixture
def fresh(target: Target) -> Iterator[Target]:
    target.furnish()
    yield target


@document.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: Case, fresh: Target) -> None:
    """No 5xx, no undocumented status, no body that breaks its schema, whatever is sent and by whom."""
    headers = fresh.aim(case)
    case.call_and_validate(base_url=fresh.base_url, session=fresh.session, headers=headers, checks=checks_for(case.path))
