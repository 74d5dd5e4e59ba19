"""Energy of the processor, where the machine tells it."""

from __future__ import annotations

from pathlib import Path

RAPL = Path("/sys/class/powercap")


def joules(folder: Path = RAPL) -> float | None:
    """Energy that the processor packages have used since some moment, joules; None if the machine
    does not tell (Intel's and AMD's running average power limit, as Linux shows it; mostly only the
    superuser may read it)."""
    counters = sorted(folder.glob("intel-rapl:?/energy_uj"))
    try:
        return sum(int(counter.read_text()) for counter in counters) / 1e6 if counters else None
    except (OSError, ValueError):
        return None
