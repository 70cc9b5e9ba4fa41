"""Validation, the log contract: from a raw log of orders to validated rows and a quarantine.

Every row of the input is used or quarantined, with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.amounts import numbers, running_cents
from features.log.buddhist_era import buddhist_remedy
from features.log.column_text import blank, plain
from features.log.columns import FIELDS, listed, locate
from features.log.customer_days import codes_of, encoded, kept
from features.log.dates import local_now
from features.log.expression import AmountExpression
from features.log.lines import read_discounts, read_lines
from features.log.one_currency import one_currency
from features.log.quarantine import (
    ACQUIRED_EARLIER,
    EMPTY_ROW,
    IDENTICAL_ROW,
    LEFT_OUT,
    REPEATED_HEADER,
    Mask,
    Quarantine,
)
from features.log.settings import Columns, LogRules
from features.log.transactions import OPTIONAL, TransactionLog, identical_rows, ids_of

_TEXTS = pa.dictionary(pa.int32(), pa.string())


def validate(
    raw: pa.Table | pd.DataFrame,
    rules: LogRules | None = None,
    columns: Columns | None = None,
    *,
    now: datetime | None = None,
    refunds_only: bool = False,
    left_out: Mask | None = None,
) -> TransactionLog:
    """Validate a raw log: keep what can be used, quarantine the rest, and count both.

    Parameters
    ----------
    raw : pyarrow.Table or pandas.DataFrame, one row an order or a line of an order
    rules : LogRules, by default those of the contract
    columns : Columns, by default the contract's names
    now : datetime.datetime
        Later rows are in the future; by default the clock. Without an offset it is in ``rules.timezone``.
    refunds_only : bool
        Accept rows without a single purchase, as a request about one customer may hold.
    left_out : ndarray of bool, optional
        Rows that the caller does not want; they are accounted for like the others.

    Returns
    -------
    TransactionLog

    Raises
    ------
    MissingColumnError
        If the log lacks a column; names those it has, and the nearest.
    EmptyLogError
        If the log has no row, or none that can be used.
    LogError
        If most dates, amounts or margins cannot be read, the log mixes currencies, or holds only refunds.

    Examples
    --------
    >>> raw = pa.table({
    ...     "customer_id": ["17", "18", None],
    ...     "ordered_at": ["1998-01-05", "1998-02-01", "1998-02-01"],
    ...     "amount": ["20.50", "-3.005", "7"],
    ... })
    >>> log = validate(raw)
    >>> log.table["amount_cents"].to_pylist(), log.quarantine.table()["reason"].to_pylist()
    ([2050, -301], ['no customer'])
    >>> print(log.report)
    3 rows in = 2 used + 1 quarantined (no customer)
    """
    table = _as_table(raw)
    rules, columns = rules or LogRules(), columns or Columns()
    if not table.num_rows:
        raise EmptyLogError(
            translated("The log has no rows; its columns are {value}.", value=listed(table.column_names))
        )
    names, expression = _located(table, rules, columns)
    quarantine = Quarantine(table)
    if left_out is not None:
        quarantine.set_aside(left_out, LEFT_OUT, names["customer_id"])
    set_no_orders_aside(quarantine, names)
    meant = quarantine.used
    ignored = _ignore_unasked(table if meant.all() else table.filter(pa.array(meant)), names, rules, columns)
    lines = read_lines(quarantine, names, rules, expression, local_now(now, rules.timezone))
    currency = one_currency(quarantine, lines, names, rules)
    _leave_out_acquired_earlier(quarantine, lines, names, rules)
    if rules.drop_identical:
        codes = codes_of(kept(ids_of(lines), quarantine.used))
        quarantine.set_aside(identical_rows(lines, quarantine, codes), IDENTICAL_ROW, names["customer_id"])
    ids = kept(ids_of(lines), quarantine.used)
    used = _contract_table(lines if quarantine.used.all() else lines.filter(pa.array(quarantine.used)), ids)
    _require_rows(used, quarantine, names)
    if not refunds_only:
        _require_purchases(used)
    log = TransactionLog(
        used, quarantine, lines, currency, rules.timezone, names, ignored, rules.amount_expression
    )
    log.__dict__["customer_ids"] = ids  # which is computed when it is first asked for, unless it is known
    return log


def _located(
    raw: pa.Table, rules: LogRules, columns: Columns
) -> tuple[dict[str, str], AmountExpression | None]:
    """Return the names of the log's columns by those of the contract, and the formula of the amounts."""
    expression = None if rules.amount_expression is None else AmountExpression.parse(rules.amount_expression)
    return locate(
        raw.column_names, rules, columns, None if expression is None else expression.columns
    ), expression


def with_encoded_ids(raw: pa.Table, rules: LogRules, columns: Columns) -> pa.Table:
    """Return a raw log with each text of its customers' column once, and a number for each row.

    A large log's ids take a third of the room so, and are found again by validation.

    Raises
    ------
    MissingColumnError
        As `validate`.
    """
    if not raw.num_rows:
        return raw
    name = _located(raw, rules, columns)[0]["customer_id"]
    if not pa.types.is_string(raw[name].type):
        return raw
    return raw.set_column(
        raw.column_names.index(name), raw.schema.field(name).with_type(_TEXTS), encoded(raw[name])
    )


def _as_table(raw: pa.Table | pd.DataFrame) -> pa.Table:
    if isinstance(raw, pa.Table):
        return raw
    if not raw.columns.is_unique:
        raise LogError(
            translated(
                "The log has two columns of one name: {value}.",
                value=listed(raw.columns[raw.columns.duplicated()]),
            )
        )
    try:
        return pa.Table.from_pandas(raw, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # Columns that mix kinds, such as invoice numbers with and without a letter, are text.
        mixed = [name for name in raw.columns if raw[name].dtype == object]
        return pa.Table.from_pandas(raw.astype(dict.fromkeys(mixed, "string")), preserve_index=False)


def set_no_orders_aside(quarantine: Quarantine, names: Mapping[str, str]) -> None:
    """Set aside the rows that hold nothing: empty ones, and headers that come again where files were joined."""
    name = names["ordered_at"]
    dates = plain(quarantine.raw[name])
    if not pa.types.is_string(dates.type):
        return
    quarantine.set_aside(pc.fill_null(pc.equal(dates, name), False).to_numpy(), REPEATED_HEADER, name)
    dateless = np.flatnonzero(pc.fill_null(pc.equal(dates, ""), True).to_numpy())
    if dateless.size:
        cells = quarantine.raw.take(pa.array(dateless))
        empty = np.zeros(quarantine.rows_in, dtype=bool)
        empty[dateless] = np.all([blank(column) for column in cells.columns], axis=0)
        quarantine.set_aside(empty, EMPTY_ROW, name)


def _ignore_unasked(
    table: pa.Table, names: dict[str, str], rules: LogRules, columns: Columns
) -> tuple[str, ...]:
    """Leave out optional columns that have to be ignored, or that nobody asked for and cannot be read whole."""
    for role in [role for role, name in names.items() if name in rules.ignore_column]:
        if role in ("customer_id", "ordered_at", "amount"):
            raise LogError(
                translated(
                    "--ignore-column {example} leaves out a column that every log needs.", example=names[role]
                )
            )
        del names[role]
    ignored = []
    for role in ("margin", "channel", "product_id", "order_id", "quantity", "category", "discount"):
        if role not in names or FIELDS[role] in columns.model_fields_set:
            continue
        fault = _fault(table[names[role]], role, rules)
        if fault:
            flag = Columns.flag(FIELDS[role])
            ignored.append(f"Column {names[role]!r} is not used: {fault}. {flag} {names[role]} asks for it.")
            del names[role]
    return tuple(ignored)


def _fault(column: pa.ChunkedArray, role: str, rules: LogRules) -> str:
    """Say why an optional column cannot be used; empty if it can."""
    if pa.types.is_nested(column.type):
        return f"it holds values of type {column.type}"
    if role not in ("margin", "discount"):
        return ""
    if role == "margin":
        unreadable = int((~np.isfinite(numbers(column, rules.number_style).to_numpy())).sum())
    else:  # single discounts are left out and counted where they are reported
        missing = read_discounts(column, rules).null_count
        unreadable = missing if 2 * missing > len(column) else 0
    return f"{unreadable:,} of its {len(column):,} cells are no number" if unreadable else ""


def _leave_out_acquired_earlier(
    quarantine: Quarantine, lines: pa.Table, names: dict[str, str], rules: LogRules
) -> None:
    """Set aside all rows of customers whose first row, even a refund, lies before the date of the rules."""
    if rules.acquired_after is None:
        return
    early = pc.less(lines["ordered_at"], pa.scalar(datetime.combine(rules.acquired_after, time.min)))
    ids = lines["customer_id"].cast(pa.string())
    customers = ids.filter(pc.and_(early, pa.chunked_array([quarantine.used]))).unique()
    known = pc.is_in(ids, value_set=customers).to_numpy()
    quarantine.set_aside(known, ACQUIRED_EARLIER, names["customer_id"])


def _contract_table(lines: pa.Table, ids: pa.DictionaryArray) -> pa.Table:
    days = lines["ordered_at"].cast(pa.date32(), safe=False)
    rounded = running_cents(codes_of(ids), days, lines["amount"].to_numpy())
    if rounded is not None:
        lines = lines.set_column(lines.column_names.index("amount_cents"), "amount_cents", pa.array(rounded))
    names = ["amount_cents", *(name for name in OPTIONAL if name in lines.column_names)]
    return lines.select(names).add_column(0, "customer_id", ids).add_column(1, "ordered_on", days)


def _require_rows(used: pa.Table, quarantine: Quarantine, names: Mapping[str, str]) -> None:
    if not used.num_rows:
        examples = quarantine.examples()
        counts = "; ".join(f"{count:,} {why} ({examples[why]})" for why, count in quarantine.counts().items())
        raise EmptyLogError(
            translated(
                "None of the log's {size:row|rows} can be used: {counts}.",
                size=quarantine.used.size,
                counts=counts,
            ),
            buddhist_remedy(quarantine.raw[names["ordered_at"]], names["ordered_at"]),
        )


def _require_purchases(used: pa.Table) -> None:
    if pc.max(used["amount_cents"]).as_py() < 0:
        raise LogError(
            translated(
                "All {num_rows:,} usable rows are refunds: their amounts are negative. If your log "
                "writes purchases as negative amounts, turn them: --amount-expression='-amount'.",
                num_rows=used.num_rows,
            )
        )
