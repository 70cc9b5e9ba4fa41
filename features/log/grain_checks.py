"""Checks of what a row of a log stands for: a line, an order, the same again, or a sum of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.column_text import text
from features.log.columns import quoted
from features.log.findings import Finding
from features.log.loss_checks import MUCH
from features.log.remedies import typed
from features.log.settings import LogRules
from features.log.transactions import TransactionLog

_FEW_ROWS = 50
_FEW_SUMS = 10  # customers each with a sum of theirs: fewer may be chance
_DOMINANT = 0.5  # of the money, in one row
_MOST = 0.8  # of the customers with three rows or more
SUM_WORDS = (
    "total|subtotal|grand total|sum|summe|zwischensumme|gesamt|gesamtsumme|somme|sous-total|suma|totale|subtotale|"
    "totaal|subtotaal|toplam|ara toplam|итого|всего|جمع|جمع کل|مجموع|الإجمالي|إجمالي|合计|合計|小计|小計"
)
_SUM = rf"(?:^|[\s:,;_-])(?P<word>{SUM_WORDS})(?:$|[\s:,;_-])"


def check_grain(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look at what a row stands for: a line, an order, the same again, or a sum of others."""
    sums = list(_sums_with_a_word(log)) or list(_sums_of_customers(log))
    yield from sums or _largest(log)
    yield from _repeated_rows(log, rules)
    if "order_id" in log.table.column_names and not rules.amount_per_order:
        yield from _repeated_totals(log)


def _sums_with_a_word(log: TransactionLog) -> Iterator[Finding]:
    """Look for rows that a word calls a total, and that are the sum of the rows before them.

    A customer may be called so (TotalEnergies): that the sums are right is what tells.
    """
    cents, used, raw = log.table["amount_cents"].to_numpy(), log.quarantine.used, log.quarantine.raw
    for name in dict.fromkeys(raw.column_names):
        column = raw.column(raw.column_names.index(name))
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        if name == log.names.get("customer_id"):  # each id is looked at once
            rows = np.flatnonzero(used)[_called(log.customer_ids.dictionary)[log.customer_codes]]
        else:
            rows = np.flatnonzero(_called(text(column)) & used)
        for word, of_word in _by_word(column, rows).items():
            places = np.searchsorted(np.flatnonzero(used), of_word)
            if _are_sums(cents, places) or _is_sum_of_all(cents, places):
                condition = f"coalesce({quoted(name)}, '') NOT ILIKE '%{word}%'"
                yield _sums(log, places, typed("--where", condition))
                return


def _called(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Mark the texts in which a word says that they are a total."""
    called = pc.match_substring_regex(texts, _SUM, ignore_case=True)
    return np.asarray(pc.fill_null(called, False).to_numpy(zero_copy_only=False))


def _by_word(column: pa.ChunkedArray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows by the word that calls them a total."""
    found = pc.extract_regex(text(column.take(pa.array(rows))), pattern=f"(?i){_SUM}")
    words = np.array([entry["word"].lower() for entry in found.to_pylist()], dtype=object)
    return {word: rows[words == word] for word in sorted(set(words))}


def _are_sums(cents: np.ndarray, rows: np.ndarray) -> bool:
    """Tell whether most rows are the sums of those between them and the one of these rows before."""
    others = cents.astype(np.int64).copy()
    others[rows] = 0
    before = np.cumsum(others)[rows]
    return bool(((np.abs(np.diff(before, prepend=0) - cents[rows]) <= 1) & (cents[rows] != 0)).mean() > 0.5)


def _is_sum_of_all(cents: np.ndarray, rows: np.ndarray) -> bool:
    others = int(cents.sum()) - int(cents[rows].sum())
    return bool(np.any(np.abs(cents[rows] - others) <= 1))


def _sums_of_customers(log: TransactionLog) -> Iterator[Finding]:
    """Look for a last row of each customer that is the sum of their rows before it, as a pivot table has it."""
    cents = log.table["amount_cents"].to_numpy()
    codes = log.customer_codes
    another = codes[1:] != codes[:-1]
    if np.count_nonzero(~(another[1:] | another[:-1])) < _FEW_SUMS:
        return  # by days, say: where rows of a customer seldom stand together, to mark their starts takes gigabytes
    starts = np.append(0, np.flatnonzero(another) + 1)
    long = np.diff(starts, append=cents.size) > 2
    if long.sum() < _FEW_SUMS:
        return
    ends = np.append(starts[1:], cents.size) - 1
    until = np.cumsum(cents)
    before = until[ends - 1] - until[starts] + cents[starts]
    sums = (np.abs(before - cents[ends]) <= 1) & (cents[ends] != 0)
    if sums[long].mean() > _MOST:
        yield _sums(log, ends[sums], translated("take them out of the file"))


def _sums(log: TransactionLog, rows: np.ndarray, remedy: str) -> Finding:
    first = int(rows[0])
    return Finding(
        "totals-row",
        translated(
            "{n:row is|rows are} the sum of others, which count twice; the first is row {row:,}, of customer "
            "{customer}: {amount:,.2f}. Leave them out: {remedy}.",
            n=rows.size,
            row=int(np.flatnonzero(log.quarantine.used)[first]) + 1,
            customer=repr(log.table["customer_id"][first].as_py()),
            amount=log.table["amount_cents"][first].as_py() / 100,
            remedy=remedy,
        ),
        fatal=True,
    )


def _largest(log: TransactionLog) -> Iterator[Finding]:
    """Look at the largest amount: the sum of all others, or most of the money."""
    table = log.table
    cents = table["amount_cents"].to_numpy()
    total = int(cents.sum())
    largest = int(np.abs(cents).argmax())
    if cents.size >= 10 and abs(int(cents[largest]) * 2 - total) <= 1 and total:
        row = int(np.flatnonzero(log.quarantine.used)[largest])
        customer = table["customer_id"][largest].as_py()
        yield Finding(
            "totals-row",
            translated(
                "Row {row:,}, of customer {customer}, is the sum of all others: a totals row. Leave it out: {flag}.",
                row=row + 1,
                customer=repr(customer),
                flag=typed(
                    "--where", f"{quoted(log.names.get('customer_id', 'customer_id'))} <> '{customer}'"
                ),
            ),
            fatal=True,
        )
    elif cents.size >= _FEW_ROWS and abs(int(cents[largest])) > _DOMINANT * np.abs(cents).sum():
        yield Finding(
            "dominant-amount",
            translated(
                "One amount, {amount:,.2f} of customer {customer} on {day:date}, is {share:.0%} of all money: a "
                "mistake?",
                amount=cents[largest] / 100,
                customer=repr(table["customer_id"][largest].as_py()),
                day=table["ordered_on"][largest].as_py(),
                share=abs(int(cents[largest])) / np.abs(cents).sum(),
            ),
        )


def _repeated_rows(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for rows that are there twice."""
    identical = log.report.identical_rows
    if identical > MUCH * log.table.num_rows and not rules.drop_identical:
        yield Finding(
            "identical-rows",
            translated(
                "{n:row equals|rows equal} ({share:.1%}) an earlier one in every column, and count: if they come from "
                "exports that overlap, --drop-identical uses them once.",
                n=identical,
                share=identical / log.table.num_rows,
            ),
        )


def _repeated_totals(log: TransactionLog) -> Iterator[Finding]:
    # As --amount-per-order has it: one id may be that of a refund, or of another customer's order, too.
    lines = log.table.select(["order_id", "ordered_on", "amount_cents"])
    lines = lines.append_column("customer", pa.array(log.customer_codes))
    orders = lines.group_by(["order_id", "customer", "ordered_on"]).aggregate(
        [("amount_cents", "count"), ("amount_cents", "min"), ("amount_cents", "max")]
    )
    several = orders.filter(
        pc.and_(pc.greater(orders["amount_cents_count"], 1), pc.is_valid(orders["order_id"]))
    )
    if several.num_rows < 10:
        return
    same = several.filter(pc.equal(several["amount_cents_min"], several["amount_cents_max"]))
    different_lines = same.num_rows > 0.9 * several.num_rows and log.report.identical_rows < 0.5 * (
        pc.sum(same["amount_cents_count"]).as_py() - same.num_rows
    )
    if different_lines:
        yield Finding(
            "repeated-totals",
            translated(
                "In {same:,} of {several:order|orders} with several lines all lines have the same amount: probably the "
                "order's total, counted once per line. --amount-per-order counts it once.",
                same=same.num_rows,
                several=several.num_rows,
            ),
        )
