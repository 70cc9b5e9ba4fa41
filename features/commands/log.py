"""The log that a command was given: read, validated, and accounted for row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from features.commands.console import show_remarks
from features.language import translated
from features.log.findings import WARNING
from features.log.settings import Columns, LogSettings
from features.progress import Report
from features.snapshot import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from features.log.findings import Finding
    from features.log.parts import LogParts
    from features.log.report import RowBalance
    from features.log.transactions import TransactionLog


def open_log(
    log: LogSettings,
    columns: Columns,
    report: Report,
    *,
    compare: Callable[[TransactionLog], list[Finding]] | None = None,
    base: str | None = None,
) -> TransactionLog:
    """Read, validate and check the log that the settings name, write its quarantine file if asked, unite its customers.

    With ``--deflator`` its money is real.

    Parameters
    ----------
    log, columns : settings
    report : Report
    compare : callable, optional
        Finds what keeps the log from being compared with another, such as the one a model learnt from.
    base : str, optional
        The month whose money real money is: a version's, where the log is to be compared with its; by default the
        log's last.

    Raises
    ------
    LogError
        If the log cannot be read or used, or a check of it finds what makes every number wrong.
    OutputError
        If the quarantine file cannot be written.
    """
    import pyarrow as pa

    from features.economics.money import in_real_money
    from features.log.findings import settle
    from features.log.parts import LogParts

    parts = LogParts(log.parts, log.transactions) if log.parts else None
    orders, found = read_and_check(log, columns, report, parts)
    orders = in_real_money(orders, log.deflator, log, base)
    found = [*(compare(orders) if compare else ()), *found]
    accepted = settle(found, log.accept, strict=log.strict)
    show_remarks(translated(WARNING, sentence=sentence) for sentence in accepted)
    if parts:
        parts.keep()
    orders = orders.without_raw_rows()
    pa.default_memory_pool().release_unused()  # to the database engine, which takes its own
    return with_one_id(orders, log)


def with_one_id(orders: TransactionLog, log: LogSettings) -> TransactionLog:
    """Return the log with the aliases of ``--identities`` under their customers' ids, and say how many there are."""
    from features.economics.identities import aliases_of, united

    if not log.identities:
        return orders
    found, sentence = united(orders, aliases_of(log), log.identities.name)
    show_remarks([sentence])
    return found


def read_and_check(
    log: LogSettings, columns: Columns, report: Report, parts: LogParts | None = None
) -> tuple[TransactionLog, list[Finding]]:
    """Read and validate a log, write its quarantine file if the settings ask for one, and check it.

    With ``--parts`` it is that of all parts; whoever gives them keeps tonight's.
    """
    from features.engines.resources import beyond_limit, use_resources
    from features.log.checks import check
    from features.log.parts import LogParts
    from features.log.presets import with_preset
    from features.log.validation import validate, with_encoded_ids
    from features.table_files import writer_for

    use_resources(log.memory_limit, log.temp_dir)
    write_quarantine = writer_for(log.quarantine) if log.quarantine else None
    raw = _read(log, report)
    if log.parts:
        raw = (parts or LogParts(log.parts, log.transactions)).joined(raw)
    show_remarks(beyond_limit(raw.num_rows))
    log, columns = with_preset(log, columns, raw.column_names)
    report(translated("Validating"), 0, raw.num_rows)
    left_out = _left_out(raw, log)
    raw = with_encoded_ids(raw, log, columns)
    orders = validate(raw, log, columns, left_out=left_out)
    found = check(orders, log, columns)
    if log.where is not None:  # a copy has to count anew what the checks have counted
        orders = replace(orders, where=log.where)
    report(translated("Validating"), raw.num_rows, raw.num_rows)
    if log.quarantine and write_quarantine:
        write_quarantine(orders.quarantine.table(), log.quarantine)
    return orders, found


def _read(log: LogSettings, report: Report) -> pa.Table:
    """Read the raw rows, from a file perhaps through a query: ``orders.csv?query=SELECT ... FROM log``."""
    from features.engines.log_query import query_log
    from features.log.sources import read_log
    from features.log.workbook_remarks import with_remarks_of

    source, _, query = log.transactions.partition("?query=")
    if not query or "://" in log.transactions:
        source, query = log.transactions, ""
    raw = read_log(source, encoding=log.encoding, progress=report, may_be_empty=log.parts is not None)
    return with_remarks_of(query_log(raw, query), [raw.schema]) if query else raw


def _left_out(raw: pa.Table, log: LogSettings) -> npt.NDArray[np.bool_] | None:
    from features.engines.log_query import rows_where

    return None if log.where is None else ~rows_where(raw, log.where)


def row_balance(report: RowBalance, hidden: int, snapshot: Snapshot) -> list[tuple[str, int, str]]:
    """Return a table that adds up: rows in = used + quarantined, by reason, + not yet visible.

    Parameters
    ----------
    report : RowBalance
    hidden : int, used rows on or after the snapshot
    snapshot : Snapshot

    Returns
    -------
    list of (what, rows, remark)
    """
    rows_in, (_, used, span), *quarantined = report.rows()
    if not quarantined:
        quarantined = [(translated("quarantined"), 0, "")]
    on_or_after = translated("on or after {day:date}", day=snapshot.date)
    unseen = (translated("not yet visible"), hidden, on_or_after)
    if hidden:  # the customers and days are those of the whole log
        rows_in, span = (*rows_in[:2], span), ""
    return [rows_in, (translated("used"), used - hidden, span), *quarantined, unseen]


def rows_not_visible(log: TransactionLog, snapshot: Snapshot) -> int:
    """Count the used rows on or after a snapshot."""
    import pyarrow.compute as pc

    return int(pc.sum(pc.greater_equal(log.table.column("ordered_on"), snapshot.date)).as_py() or 0)
