"""The feature table of several snapshots, as one table or part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import SCHEMA, PurchaseHistory


def feature_tables(
    log: TransactionLog,
    snapshots: Sequence[Snapshot],
    *,
    progress: Callable[[Snapshot], None] | None = None,
) -> Iterator[pa.Table]:
    """Yield what `build_feature_table` returns part by part: of a large log the whole would take gigabytes.

    Parameters
    ----------
    log : TransactionLog
    snapshots : sequence of Snapshot
    progress : callable, optional
        Called with each snapshot when it is done.
    """
    with PurchaseHistory(log) as history:
        for snapshot in snapshots:
            yield from history.tables(snapshot)
            if progress is not None:
                progress(snapshot)


def build_feature_table(
    log: TransactionLog,
    snapshots: Sequence[Snapshot],
    *,
    progress: Callable[[Snapshot], None] | None = None,
) -> pa.Table:
    """Compute the features of all customers at each snapshot, as one table.

    Parameters
    ----------
    log, snapshots, progress
        As those of `feature_tables`.

    Returns
    -------
    pyarrow.Table
        ``snapshot_date`` (date32), ``customer_id`` and the columns of `FEATURES`, in the order of
        ``snapshots``, then of customer_id; null where a feature is undefined.
    """
    return pa.concat_tables([SCHEMA.empty_table(), *feature_tables(log, snapshots, progress=progress)])
