"""How many threads this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cpu_quota() -> int:
    """Return the CPUs that this process may use, at least 1: its affinity, within the container's quota.

    More threads than that spin against each other: LightGBM on a busy machine of two CPUs then takes minutes
    for what takes seconds.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))
