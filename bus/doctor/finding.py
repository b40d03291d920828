"""What a check found: fine, doubtful or broken, and how to mend it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check`: what was looked at; `where`: which server, None where there is one; `fix`: what to do, None when all is well.

    Nothing here holds a secret.
    """

    check: str
    level: Level
    said: str
    fix: str | None = None
    where: str | None = None


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warn(check: str, said: str, fix: str) -> Finding:
    return Finding(check, Level.WARN, said, fix)


def fail(check: str, said: str, fix: str) -> Finding:
    return Finding(check, Level.FAIL, said, fix)


def worst(findings: list[Finding]) -> Level:
    """Of all; OK for none."""
    levels = [finding.level for finding in findings]
    return Level.FAIL if Level.FAIL in levels else Level.WARN if Level.WARN in levels else Level.OK
