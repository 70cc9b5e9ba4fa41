"""Every customer of a log or a live request, scored or with the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.snapshot import Snapshot
from training.model.score_table import frame_of, table_of


@dataclass(frozen=True)
class ScoredList:
    """Every customer of a log, scored or with the reason why not.

    Parameters
    ----------
    columns : dict of name to array
        The scores: each of `SCORE_COLUMNS`, most value at risk first, then by customer_id.
    unscored : DataFrame of ``customer_id`` and ``reason``, by customer_id
    snapshot : Snapshot
    rows_in, rows_used, rows_not_visible : int
        Rows of the log: all, those before the snapshot, and those at or after it.
    quarantined : dict of reason to number of rows
        ``rows_in == rows_used + rows_not_visible + sum(quarantined.values())``.
    recent : ndarray of bool, one per score
        Whether the last purchase lies within the model's ``dormant_after_days``: the long gone rarely come back,
        whatever they would be worth.
    notes : tuple of str
        What to know about the scores of a live request, such as fields that it lacks.
    """

    columns: dict[str, Any]
    unscored: pd.DataFrame
    snapshot: Snapshot
    rows_in: int
    rows_used: int
    rows_not_visible: int
    quarantined: dict[str, int]
    recent: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def customers(self) -> int:
        """How many are scored."""
        return len(self.columns["customer_id"])

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The columns as a DataFrame, for publishing and joining; making it takes longer than to score a customer."""
        return frame_of(self.columns)

    @cached_property
    def table(self) -> pa.Table:
        """The columns as an Arrow table, which a long list is written from."""
        return table_of(self.columns)
