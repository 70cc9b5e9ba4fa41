"""The log that a command was given: read, validated, and accounted for row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.log.settings import Columns, LogSettings
from features.progress import Report
from features.snapshot import Snapshot

if TYPE_CHECKING:
    from features.log.report import LogReport
    from features.log.transactions import TransactionLog


def open_log(log: LogSettings, columns: Columns, report: Report) -> TransactionLog:
    """Read and validate the log that the settings name, and write its quarantine file if they ask for one.

    Raises
    ------
    LogError
        If the log cannot be read or used.
    OutputError
        If the quarantine file cannot be written.
    """
    from features.files import writer_for
    from features.log.sources import read_log
    from features.log.transactions import validate

    write_quarantine = writer_for(log.quarantine) if log.quarantine else None
    raw = read_log(log.transactions, progress=report)
    report("Validating", 0, raw.num_rows)
    orders = validate(raw, log, columns)
    report("Validating", raw.num_rows, raw.num_rows)
    if log.quarantine and write_quarantine:
        write_quarantine(orders.quarantine.table(), log.quarantine)
    return orders.without_raw_rows()


def row_balance(report: LogReport, hidden: int, snapshot: Snapshot) -> list[tuple[str, int, str]]:
    """Return a table that adds up: rows in = used + quarantined, by reason, + not yet visible.

    Parameters
    ----------
    report : LogReport
    hidden : int, used rows on or after the snapshot
    snapshot : Snapshot

    Returns
    -------
    list of (what, rows, remark)
    """
    rows_in, (_, used, span), *quarantined = report.rows()
    if not quarantined:
        quarantined = [("quarantined", 0, "")]
    unseen = ("not yet visible", hidden, f"on or after {snapshot}")
    return [rows_in, ("used", used - hidden, span), *quarantined, unseen]


def rows_not_visible(log: TransactionLog, snapshot: Snapshot) -> int:
    """Count the used rows on or after a snapshot."""
    import pyarrow.compute as pc

    return int(pc.sum(pc.greater_equal(log.table.column("ordered_on"), snapshot.date)).as_py() or 0)
