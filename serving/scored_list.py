"""Every customer of a log or a live request, scored or with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from serving.scored_part import ScoredPart, united
from training.model.score_table import CompactColumns, frame_of, in_order, list_order, table_of


@dataclass(frozen=True)
class ScoredList:
    """Every customer of a log, scored or with the reason why not.

    Parameters
    ----------
    columns : mapping of name to array
        The scores: each of `SCORE_COLUMNS`, the recent before the dormant, each by value at risk, the most
        first, then by customer_id. Of a large log they are `CompactColumns`, arrays when they are asked for.
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

    columns: Mapping[str, Any]
    unscored: pd.DataFrame
    snapshot: Snapshot
    rows_in: int
    rows_used: int
    rows_not_visible: int
    quarantined: dict[str, int]
    recent: np.ndarray
    notes: tuple[str, ...] = ()

    @classmethod
    def of_parts(
        cls,
        parts: list[ScoredPart],
        log: TransactionLog,
        snapshot: Snapshot,
        say: Callable[[Mapping[str, Sequence[str]]], Iterable[str]],
    ) -> ScoredList:
        """Put the parts of a log together, in the order of a list; ``parts`` is emptied.

        Parameters
        ----------
        parts : list of ScoredPart, in the order of customer_id
        log : TransactionLog
        snapshot : Snapshot
        say : callable
            Says what there is to know of `ScoredPart.unseen`.
        """
        whole = united(parts)
        # They are in the order of customer_id, which a stable sort keeps among equals.
        order = list_order(np.asarray(whole.columns["value_at_risk"], dtype=float), whole.recent)
        return cls(
            columns=in_order(whole.columns, order, emptied=True),
            unscored=whole.unscored,
            snapshot=snapshot,
            rows_in=log.quarantine.rows_in,
            rows_used=whole.rows_seen,
            rows_not_visible=log.table.num_rows - whole.rows_seen,
            quarantined=log.quarantine.counts(),
            recent=whole.recent[order],
            notes=tuple(say(whole.unseen)),
        )

    @property
    def customers(self) -> int:
        """How many are scored."""
        return len(self.recent)

    def part(self, places: np.ndarray) -> ScoredList:
        """Return the list of those of its customers at some places."""
        return replace(self, columns=in_order(self.columns, places), recent=self.recent[places])

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The columns as a DataFrame, for publishing and joining; making it takes longer than to score a customer."""
        return frame_of(self.columns)

    @cached_property
    def table(self) -> pa.Table:
        """The columns as an Arrow table, which a long list is written from: those of `CompactColumns` as they are."""
        return self.columns.table if isinstance(self.columns, CompactColumns) else table_of(self.columns)
