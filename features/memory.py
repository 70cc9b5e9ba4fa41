"""Amounts of memory: as a person writes them, and what this process may use."""

from __future__ import annotations

import os
import re
from pathlib import Path

from features.language import translated

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_LEAST = 200 * 10**6
_WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?B)\s*", re.IGNORECASE)
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_PAGES = Path("/proc/self/statm")


def bytes_of(text: str) -> int:
    """Return an amount of memory in bytes.

    Raises
    ------
    ValueError
        If it is no amount, or too little to work in.

    Examples
    --------
    >>> bytes_of("8GB"), bytes_of("1.5 GiB")
    (8000000000, 1610612736)
    >>> bytes_of("8 potatoes")
    Traceback (most recent call last):
    ValueError: '8 potatoes' is no amount of memory. Write it as 8GB or 500MB.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(
            translated("{given!r} is no amount of memory. Write it as 8GB or 500MB.", given=text)
        )
    amount = int(float(found[1]) * _UNITS[found[2].upper()])
    if amount < _LEAST:
        raise ValueError(
            translated(
                "{given} is too little to work in. Allow {least}MB or more.",
                given=text,
                least=_LEAST // 10**6,
            )
        )
    return amount


def allowed_bytes() -> int:
    """Return the memory that this process may use: the machine's, within its container's limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = _CGROUP_LIMIT.read_text(encoding="ascii").strip()
    except OSError:
        return machine
    return min(machine, int(limit)) if limit.isdigit() else machine


def held_bytes() -> int:
    """Return the memory that this process takes now; 0 where the system does not say."""
    try:
        return int(_PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def give_back() -> None:
    """Give freed memory back to the system: between large arrays that live on, it keeps gigabytes."""
    import pyarrow as pa  # which --help does not need

    for pool in (pa.system_memory_pool(), pa.default_memory_pool()):
        pool.release_unused()
