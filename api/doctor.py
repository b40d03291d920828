"""`backchannel doctor`: what is wrong with what the bus stands on, and how to mend it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Final

import typer

from bus import Settings
from bus.doctor import Finding, Level, examine, worst

FAILED: Final = 1
_COLOURS: Final = {Level.OK: typer.colors.GREEN, Level.WARN: typer.colors.YELLOW, Level.FAIL: typer.colors.RED}
_NAME_WIDTH: Final = 17


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines, for programs.")] = False,
    strict: Annotated[bool, typer.Option(help="Exit code 1 also for warnings.")] = False,
) -> None:
    """Check the store or server that the settings lead to. Each line is OK, WARN or FAIL, with what mends it; exit code 1 when
    one is FAIL."""
    findings = asyncio.run(_examined(Settings(), say=not as_json))
    level = worst(findings)
    if as_json:
        typer.echo(json.dumps({"status": level.value, "checks": [_row(each) for each in findings]}, indent=2))
    else:
        typer.echo(_summary(findings))
    raise typer.Exit(FAILED if level is Level.FAIL or (strict and level is Level.WARN) else 0)


async def _examined(settings: Settings, *, say: bool) -> list[Finding]:
    findings: list[Finding] = []
    async for finding in examine(settings):
        findings.append(finding)
        if say:
            _say(finding)
    return findings


def _say(finding: Finding) -> None:
    level = typer.style(f"{finding.level.value.upper():<6}", fg=_COLOURS[finding.level])
    where = f"{finding.where}: " if finding.where else ""
    typer.echo(f"{level}{finding.check:<{_NAME_WIDTH}}{where}{finding.said}")
    if finding.fix:
        typer.echo(f"{'':<{6 + _NAME_WIDTH}}fix: {finding.fix}")


def _summary(findings: list[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    return f"{counts[Level.OK]} fine, {counts[Level.WARN]} doubtful, {counts[Level.FAIL]} broken"


def _row(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check,
        "level": finding.level.value,
        "where": finding.where,
        "said": finding.said,
        "fix": finding.fix,
    }
