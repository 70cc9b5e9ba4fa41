"""The log contract: from a raw log of orders to validated rows, a quarantine and a report.

Every row of the input is used or quarantined, with a reason. What a validated row means: one order, or one
line of an order, of one customer on one day; a negative amount is a refund, a zero amount is a purchase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.amounts import numbers, running_cents
from features.log.buddhist_era import buddhist_remedy
from features.log.columns import FIELDS, blank, listed, locate, plain
from features.log.currencies import one_name, same_currency
from features.log.customer_days import Integers, codes_of, drawn_rows, encoded, perhaps_repeated
from features.log.dates import local_now
from features.log.expression import AmountExpression
from features.log.lines import read_discounts, read_lines
from features.log.prices import Prices
from features.log.quarantine import (
    ACQUIRED_EARLIER,
    EMPTY_ROW,
    IDENTICAL_ROW,
    LEFT_OUT,
    OTHER_CURRENCY,
    REPEATED_HEADER,
    Mask,
    Quarantine,
    as_written,
)
from features.log.report import LogReport, report_of
from features.log.settings import Columns, LogRules
from features.log.terms import LogTerms
from features.log.workbooks import currencies_of

OPTIONAL = (
    "order_id",
    "margin_cents",
    "channel",
    "product_id",
    "quantity",
    "category",
    "discount_cents",
)


NO_CURRENCY = "(none)"


@dataclass(frozen=True)
class TransactionLog:
    """A validated log: its usable rows, and an account of every row that cannot be used.

    The report, the days and the quarantine table are computed when they are first asked for: a live request
    of a few orders needs none of them.

    Attributes
    ----------
    table : pyarrow.Table
        The used rows, in the order of the input: ``customer_id`` string, ``ordered_on`` date32 (the day on
        the clock of the chosen time zone), ``amount_cents`` int64, and where the log has them ``order_id``,
        ``channel``, ``product_id``, ``category`` string or null, ``margin_cents`` int64, ``quantity`` double or
        null, ``discount_cents`` int64, null where it cannot be read.
    quarantine : Quarantine
        The raw rows, and which of them were set aside, and why.
    lines : pyarrow.Table
        The columns of the contract for every raw row, as `features.log.lines.read_lines` returns them.
    currency : str or None, where the log or the caller names it
    timezone : str, in which the days of the orders are
    names : mapping of the contract's column names to those of the raw log
    ignored : tuple of str, sentences about optional columns that were found and not used
    amount_expression, where : str or None, the formula of the amounts and the condition on the rows
    prices : Prices or None, by which the table's money was turned into that of one month
    """

    table: pa.Table
    quarantine: Quarantine
    lines: pa.Table = field(repr=False)
    currency: str | None = None
    timezone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    ignored: tuple[str, ...] = ()
    amount_expression: str | None = None
    where: str | None = None
    prices: Prices | None = None

    @property
    def terms(self) -> LogTerms:
        """How the log was read; logs of different terms cannot be compared."""
        return LogTerms(self.timezone, self.currency, self.amount_expression, self.where, self.prices)

    @cached_property
    def report(self) -> LogReport:
        """Counts and a description of the used rows and of those in quarantine."""
        identical = self.quarantine.counts().get(IDENTICAL_ROW)
        if identical is None:
            identical = int(_identical(self.lines, self.quarantine, self.customer_codes).sum())
        place = self.table.column_names.index("customer_id")
        table = self.table.set_column(place, "customer_id", self.customer_ids)
        return report_of(table, self.quarantine, identical, self.currency, self.timezone)

    @property
    def amount_columns(self) -> tuple[str, ...]:
        """The raw log's columns that the amounts come from."""
        return _amount_columns(self.names, self.amount_expression)

    @property
    def columns(self) -> tuple[str, ...]:
        """The optional columns that the log has."""
        return tuple(name for name in OPTIONAL if name in self.table.column_names)

    @cached_property
    def first_day(self) -> date:
        """The first day with a used row."""
        day: date = pc.min(self.table["ordered_on"]).as_py()
        return day

    @cached_property
    def last_day(self) -> date:
        """The last day with a used row."""
        day: date = pc.max(self.table["ordered_on"]).as_py()
        return day

    @cached_property
    def rows_by_day(self) -> tuple[npt.NDArray[np.datetime64], Integers]:
        """The days with a used row, ascending, and the number of rows of each."""
        numbers = self.table["ordered_on"].cast(pa.int32()).to_numpy()
        first = int(numbers.min(initial=0))
        rows = np.bincount(numbers - first)
        days = np.flatnonzero(rows)
        return (days + first).astype("datetime64[D]"), rows[days]

    @cached_property
    def customer_ids(self) -> pa.DictionaryArray:
        """The id of each used row's customer; each id is kept once."""
        return encoded(self.table["customer_id"])

    @cached_property
    def customer_codes(self) -> Integers:
        """The customer of each used row as a number, of shape (n_rows,)."""
        return codes_of(self.customer_ids)

    @cached_property
    def customers_without_a_used_row(self) -> list[str]:
        """The ids of the customers whose every row is in quarantine, in order."""
        if self.quarantine.used.all():
            return []
        used = pa.array(self.quarantine.used)
        customers = self.lines["customer_id"]
        left = set(customers.filter(pc.invert(used)).to_pylist()) - {None}
        return sorted(left.difference(customers.filter(used).to_pylist())) if left else []

    def with_ids(self, renamed: Mapping[str, str]) -> TransactionLog:
        """Return the log with some customers under another id."""
        changed = {old: new for old, new in renamed.items() if old != new}
        if not changed:
            return self
        ids = self.table["customer_id"].combine_chunks().dictionary_encode()
        names = pa.array([changed.get(each, each) for each in ids.dictionary.to_pylist()], pa.string())
        place = self.table.column_names.index("customer_id")
        return replace(self, table=self.table.set_column(place, "customer_id", names.take(ids.indices)))

    def at_prices(self, prices: Prices | None) -> TransactionLog:
        """Return the log in the money of one month; the log itself without prices, or if it is in one already.

        One that is, and knows what its money is worth in the other month, is turned into that.
        """
        if prices is None or (self.prices and self.prices.base == prices.base):
            return self
        if self.prices is None:
            return replace(self, table=prices.converted(self.table), prices=prices)
        ours = self.prices.in_money_of(prices.base)
        scale = ours.factors[0] / self.prices.factors[0]
        level = replace(ours, factors=(scale,) * len(ours.factors))
        return replace(self, table=level.converted(self.table), prices=ours)

    def sample(self, customers: int, seed: int = 0) -> TransactionLog:
        """Return the rows of so many customers, drawn by a hash of their ids; the log itself if it has no more."""
        drawn = drawn_rows(self.customer_ids, customers, seed)
        return self if drawn is None else replace(self, table=self.table.filter(pa.array(drawn)))

    def without_raw_rows(self) -> TransactionLog:
        """Return the log with everything computed, and without the raw rows: they take most of the memory."""
        kept = ("report", "customers_without_a_used_row", "customer_ids")
        computed = {name: getattr(self, name) for name in kept}
        log = replace(
            self, quarantine=self.quarantine.without_raw_rows(), lines=self.lines.schema.empty_table()
        )
        log.__dict__.update(computed)
        return log


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
    expression = None if rules.amount_expression is None else AmountExpression.parse(rules.amount_expression)
    names = locate(table.column_names, rules, columns, None if expression is None else expression.columns)
    quarantine = Quarantine(table)
    if left_out is not None:
        quarantine.set_aside(left_out, LEFT_OUT, names["customer_id"])
    set_no_orders_aside(quarantine, names)
    meant = quarantine.used
    ignored = _ignore_unasked(table if meant.all() else table.filter(pa.array(meant)), names, rules, columns)
    lines = read_lines(quarantine, names, rules, expression, local_now(now, rules.timezone))
    currency = _one_currency(quarantine, lines, names, rules)
    _leave_out_acquired_earlier(quarantine, lines, names, rules)
    if rules.drop_identical:
        codes = codes_of(encoded(lines["customer_id"].filter(pa.array(quarantine.used))))
        quarantine.set_aside(_identical(lines, quarantine, codes), IDENTICAL_ROW, names["customer_id"])
    used = _contract_table(lines.filter(pa.array(quarantine.used)))
    _require_rows(used, quarantine, names)
    if not refunds_only:
        _require_purchases(used)
    return TransactionLog(
        used, quarantine, lines, currency, rules.timezone, names, ignored, rules.amount_expression
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


def _one_currency(
    quarantine: Quarantine, lines: pa.Table, names: dict[str, str], rules: LogRules
) -> str | None:
    """Keep the rows of the chosen currency; without a choice there may be only one.

    Without a column of currencies it is the one in which a workbook formats the amounts, if that is one.
    """
    if "currency" not in names:
        formats = currencies_of(quarantine.raw.schema, _amount_columns(names, rules.amount_expression))
        shown = set(one_name(formats).values())
        return shown.pop().upper() if len(shown) == 1 else None
    if rules.currency is not None:
        set_other_currencies_aside(quarantine, lines, names["currency"], rules.currency)
        return rules.currency
    words = currency_words(lines)
    found = pc.value_counts(words.filter(pa.array(quarantine.used))).to_pylist()
    counts = {entry["values"]: entry["counts"] for entry in found}
    return the_currency(counts, words.unique().to_pylist(), names["currency"])


def currency_words(lines: pa.Table) -> pa.ChunkedArray:
    """Return the word for the currency of each line, in capitals, `NO_CURRENCY` where there is none."""
    return pc.fill_null(pc.utf8_upper(lines["currency"]), NO_CURRENCY)


def set_other_currencies_aside(quarantine: Quarantine, lines: pa.Table, name: str, currency: str) -> None:
    """Set aside the lines of another currency than the chosen one."""
    written = currency_words(lines).combine_chunks().dictionary_encode()
    words = written.dictionary.to_pylist()
    other = np.array([not same_currency(word, currency) for word in words], dtype=bool)
    quarantine.set_aside(other[written.indices.to_numpy()], OTHER_CURRENCY, name)


def the_currency(rows: Mapping[str, int], words: Sequence[str], column: str) -> str | None:
    """Return the one currency of a log; None where its cells are empty.

    Parameters
    ----------
    rows : mapping of word to number of used rows, as `currency_words` gives the words
    words : sequence of str, those of all rows
    column : str, the log's name of the column

    Raises
    ------
    LogError
        If there are several.
    """
    named, totals = one_name(words), Counter[str]()
    for word, count in rows.items():
        totals[named[word]] += count
    if len(totals) > 1:
        found = sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))
        raise LogError(
            translated(
                "The log mixes {n} currencies in {example!r}: {counts}.",
                n=len(found),
                example=column,
                counts=", ".join(f"{code} ({count:,} rows)" for code, count in found),
            ),
            translated(
                "Say which to use, such as --currency {named}; rows in others are then quarantined.",
                named=next(code for code, _ in found if code != NO_CURRENCY),
            ),
            translated("Send the amounts of one currency, that of the training log."),
        )
    only = next(iter(totals), NO_CURRENCY)
    return None if only == NO_CURRENCY else only


def _amount_columns(names: Mapping[str, str], expression: str | None) -> tuple[str, ...]:
    return (
        (names.get("amount", "amount"),) if expression is None else AmountExpression.parse(expression).columns
    )


def _leave_out_acquired_earlier(
    quarantine: Quarantine, lines: pa.Table, names: dict[str, str], rules: LogRules
) -> None:
    """Set aside all rows of customers whose first row, even a refund, lies before the date of the rules."""
    if rules.acquired_after is None:
        return
    early = pc.less(lines["ordered_at"], pa.scalar(datetime.combine(rules.acquired_after, time.min)))
    customers = lines["customer_id"].filter(pc.and_(early, pa.chunked_array([quarantine.used]))).unique()
    known = pc.is_in(lines["customer_id"], value_set=customers).to_numpy()
    quarantine.set_aside(known, ACQUIRED_EARLIER, names["customer_id"])


def _identical(lines: pa.Table, quarantine: Quarantine, customers: Integers) -> Mask:
    """Mark the used rows, of these customers, that equal an earlier one in every column of the raw log."""
    used = quarantine.used
    kept = lines.filter(pa.array(used))
    moments, cents = (kept[name].cast(pa.int64()).to_numpy() for name in ("ordered_at", "amount_cents"))
    alike = perhaps_repeated(customers, moments, cents)
    identical, places = np.zeros_like(used), np.flatnonzero(used)[alike]
    raw = quarantine.raw.take(pa.array(places))
    cells = pd.DataFrame({place: as_written(column).to_pandas() for place, column in enumerate(raw.columns)})
    identical[places] = cells.duplicated().to_numpy()
    return identical


def _contract_table(lines: pa.Table) -> pa.Table:
    days = lines["ordered_at"].cast(pa.date32(), safe=False)
    rounded = running_cents(lines["customer_id"], days, lines["amount"].to_numpy())
    if rounded is not None:
        lines = lines.set_column(lines.column_names.index("amount_cents"), "amount_cents", pa.array(rounded))
    kept = ["customer_id", "amount_cents", *(name for name in OPTIONAL if name in lines.column_names)]
    return lines.select(kept).add_column(1, "ordered_on", days)


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
