"""What a process has used: memory and CPU time."""

from __future__ import annotations

import subprocess
from pathlib import Path


def resident_kib(process_id: int) -> int:
    """What ps says: the same on Linux and macOS."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(process_id)], stdout=subprocess.PIPE, text=True, check=True)
    return int(shown.stdout)


def cpu_seconds(process_id: int) -> float:
    """User and system time so far, to the hundredth of a second where the system tells (Linux)."""
    stat = Path(f"/proc/{process_id}/stat")
    if not stat.exists():
        minutes, _, seconds = (
            subprocess.check_output(["ps", "-o", "time=", "-p", str(process_id)], text=True).strip().rpartition(":")
        )
        return float(minutes.rpartition(":")[2] or 0) * 60 + float(seconds)
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100
