"""The most memory that this process has had."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Bytes, mapped files among them.

    On Linux of this process alone; what `getrusage` says there is at least what the process had
    that started it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1.0 if sys.platform == "darwin" else 1024.0)
