"""Writes docs/settings.md from the fields of bus.settings: `python -m tools.settings_docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from bus import Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

HEAD = """\
# Settings

Environment variables, read when a process starts; an empty one counts as unset. A wrong value stops the process with one
line that names the variable. This page is written by `python -m tools.settings_docs` from `bus/settings.py`.

| variable | default | meaning |
|---|---|---|
"""

# Defaults that depend on the machine, in words.
COMPUTED = {
    "data_dir": "`$XDG_DATA_HOME/backchannel`, else `~/.local/share/backchannel`",
    "config_dir": "`$XDG_CONFIG_HOME/backchannel`, else `~/.config/backchannel`",
}


def _default(name: str, field: FieldInfo) -> str:
    if name in COMPUTED:
        return COMPUTED[name]
    if field.default is None or field.default == "":
        return "unset"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _bounds(field: FieldInfo) -> str:
    """`1 to 1000` where the field has numeric bounds on both sides."""
    limits: dict[str, Any] = {
        bound: value
        for part in field.metadata
        for bound in ("ge", "gt", "le")
        if (value := getattr(part, bound, None)) is not None
    }
    if "le" not in limits:
        return ""
    low = f"{limits['ge']:,}" if "ge" in limits else f"more than {limits['gt']:,}"
    return f" ({low} to {limits['le']:,})"


def _plain(description: str | None) -> str:
    """Text that Markdown shows as it is."""
    return (description or "").replace("<", "\\<").replace("|", "\\|")


def page() -> str:
    """docs/settings.md as it must be."""
    rows = [
        f"| `BACKCHANNEL_{name.upper()}` | {_default(name, field)} | {_plain(field.description)}{_bounds(field)} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
