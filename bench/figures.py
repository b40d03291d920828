"""Figures and the tables they are printed in."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bus.bus import Health

WIDTH = 128
console = Console(width=WIDTH, highlight=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio has to reach: `least`, or at most `most`."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def median_ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Of the rounds' ratios: a neighbour's burst of work touches one round, not the figure."""
    return statistics.median(one / other for one, other in zip(ours, floor, strict=True))


def verdict(goal: Goal | None, value: float) -> str:
    if goal is None:
        return ""
    return "[green]met[/]" if goal.met(value) else "[red]missed[/]"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints one; the first column is left-aligned, the others are numbers."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


def say_where(health: Health) -> None:
    """What was measured on: versions, never absolute claims about the machine."""
    console.print(
        f"Python {platform.python_version()}, {health.server} ({health.store}), notifications by {health.notifications}"
    )
