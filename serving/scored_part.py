"""Some of a log's customers, scored or with the reason why not: a large log is scored part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from features.table.columns import Columns
from training.model.score_table import CompactColumns, compact


@dataclass(frozen=True)
class ScoredPart:
    """Customers who follow one another in the order of their ids.

    Parameters
    ----------
    columns : mapping of name to array
        The scores, by customer_id.
    recent : ndarray of bool, one per score
        As in `serving.scored_list.ScoredList`.
    unscored : DataFrame of ``customer_id`` and ``reason``, by customer_id
    rows_seen : int, their rows before the snapshot
    unseen : mapping of an attribute to values that the version did not learn from, one for each customer who has one
    """

    columns: Columns
    recent: np.ndarray
    unscored: pd.DataFrame
    rows_seen: int
    unseen: Mapping[str, Sequence[str]]

    @property
    def customers(self) -> int:
        """How many there are, scored or not."""
        return len(self.recent) + len(self.unscored)

    def compact(self) -> ScoredPart:
        """Return the part with scores that take a third of the memory."""
        return replace(self, columns=CompactColumns(compact(self.columns)))


def united(parts: list[ScoredPart]) -> ScoredPart:
    """Return parts that follow one another as one; ``parts`` is emptied, so that scores are in memory once."""
    if len(parts) == 1:
        return parts.pop()
    unseen: dict[str, list[str]] = {}
    for part in parts:
        for name, values in part.unseen.items():
            unseen.setdefault(name, []).extend(values)
    tables = [part.columns.table for part in parts if isinstance(part.columns, CompactColumns)]
    whole = replace(
        parts[0],
        columns=CompactColumns(pa.concat_tables(tables)),
        recent=np.concatenate([part.recent for part in parts]),
        unscored=pd.concat([part.unscored for part in parts], ignore_index=True),
        rows_seen=sum(part.rows_seen for part in parts),
        unseen=dict(sorted(unseen.items())),
    )
    parts.clear()
    return whole
