"""Options of every fit: what a recipe needs to be chosen or fitted, beside the labelled snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class FitOptions:
    """What is the same for each fit of a training run.

    Parameters
    ----------
    first_order : date
        First day of the log; a season's intercepts count from ``dormant_after_days`` later.
    dormant_after_days : int, at least 1
        Days of silence after which a customer is dormant.
    seed : int
    threads : int, at least 1
    """

    first_order: date
    dormant_after_days: int
    seed: int = 0
    threads: int = 1
