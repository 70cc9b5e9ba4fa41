"""Progress of long work, as a function is told to report it."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is (0: not known)."""
