"""Check of currencies: a column that nobody mapped, and that says the amounts are of several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.column_text import text
from features.log.columns import listed, quoted
from features.log.currencies import currency_code, one_name
from features.log.findings import Finding
from features.log.remedies import typed
from features.log.transactions import TransactionLog
from features.log.workbook_remarks import currencies_of

_SAMPLE_ROWS = 200_000
_MOST_CURRENCIES = 30
_NAME = re.compile(
    r"currency|curr\b|ccy|währung|waehrung|devise|moneda|divisa|moeda|valuta|waluta|döviz|para birimi|валюта|"
    r"ارز|واحد پول|عملة|币种|通貨"
)
_UNIT = re.compile(r"^(unit|units|einheit|unité|unidad|unità|birim|واحد|الوحدة)$")
_USUAL = ("EUR", "USD", "GBP", "JPY", "CNY", "CHF", "CAD", "AUD", "INR", "TRY", "IRR", "IRT", "AED")


def check_currencies(log: TransactionLog) -> Iterator[Finding]:
    """Look for a column of currencies that was not used, or formats of several: amounts would be summed.

    Examples
    --------
    >>> from features.log.validation import validate
    >>> raw = pa.table({
    ...     "customer_id": ["17", "18"],
    ...     "ordered_at": ["1998-01-05"] * 2,
    ...     "amount": [20.5, 30.0],
    ...     "Devise": ["EUR", "USD"],
    ... })
    >>> [finding.name for finding in check_currencies(validate(raw))]
    ['mixed-currencies']
    """
    if "currency" in log.names:
        return
    told = list(_check_columns(log))
    formatted = currencies_of(log.quarantine.raw.schema, log.amount_columns)
    if not told and len(set(one_name(formatted).values())) > 1:
        told.append(_mixed_formats(log, formatted))
    yield from told


def _check_columns(log: TransactionLog) -> Iterator[Finding]:
    raw, used = log.quarantine.raw, pa.array(log.quarantine.used)
    for name in dict.fromkeys(raw.column_names):
        column = raw.column(raw.column_names.index(name))
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if not is_text or name in log.names.values() or _is_taken_care_of(name, log):
            continue
        # Most columns are passed over after a look at their first rows.
        if (
            _codes(text(column.slice(0, _SAMPLE_ROWS)))
            and len(codes := _codes(text(column.filter(used)))) > 1
        ):
            told = _NAME.search(name.lower()) or any(code in _USUAL for code in codes.values())
            if told and len(set(codes.values())) > 1:
                yield _mixed(name, column.filter(used), log.names.get("amount", "amount"), codes)
        elif _NAME.search(name.lower()) or _UNIT.search(name.lower()):
            yield from _check_units(name, column.filter(used))


def _check_units(name: str, column: pa.ChunkedArray) -> Iterator[Finding]:
    """Look for a column of units in which some are a currency and others are not, such as EUR and points."""
    rows = _counted(column)
    money = [word for word in rows if currency_code(word) in _USUAL]
    if money and len(rows) > len(money) and len(rows) <= _MOST_CURRENCIES:
        yield Finding(
            "mixed-currencies",
            translated(
                "Column {name} says that some amounts are in {money}, and others in something else, and they are "
                "summed as if they were one: {counts}. Say which to use, such as {flags}; rows in others are then "
                "quarantined.",
                name=repr(name),
                money=", ".join(money),
                counts=", ".join(f"{word} ({count:,})" for word, count in rows.most_common(5)),
                flags=f"{typed('--currency-column', name)} {typed('--currency', money[0])}",
            ),
            fatal=True,
        )


def _counted(column: pa.ChunkedArray) -> Counter[str]:
    """Return how many rows have each word, in capitals."""
    rows: Counter[str] = Counter()
    for entry in pc.value_counts(pc.utf8_upper(text(column).drop_null())).to_pylist():
        rows[entry["values"]] += entry["counts"]
    return rows


def _is_taken_care_of(name: str, log: TransactionLog) -> bool:
    return log.amount_expression is not None and name in log.amount_expression


def _codes(written: pa.ChunkedArray) -> dict[str, str]:
    """Return the code of each word of a column in which every word means a currency; nothing for any other column."""
    words = written.unique().drop_null()
    if not 0 < len(words) <= _MOST_CURRENCIES:
        return {}
    codes = {word: currency_code(word) for word in words.to_pylist()}
    return {} if None in codes.values() else {word: code for word, code in codes.items() if code}


def _mixed_formats(log: TransactionLog, formatted: Counter[str]) -> Finding:
    return Finding(
        "mixed-currencies",
        translated(
            "The numbers in {columns} are formatted in {n:currency|currencies}, and they are summed as if they were "
            "one: {counts}. Write each row's currency into a column of its own, and say which to use, such as {flags}.",
            columns=listed(log.amount_columns),
            n=len(set(one_name(formatted).values())),
            counts=", ".join(f"{word} ({count:,})" for word, count in formatted.most_common()),
            flags=typed("--currency", formatted.most_common(1)[0][0]),
        ),
        fatal=True,
    )


def _mixed(name: str, column: pa.ChunkedArray, amount: str, codes: dict[str, str]) -> Finding:
    rows = _counted(column)
    flags = f"{typed('--currency-column', name)} {typed('--currency', rows.most_common(1)[0][0])}"
    message = translated(
        "Column {name} says that the amounts are of {n:currency|currencies}, and they are summed as if they were one: "
        "{counts}. Say which to use, such as {flags}; rows in others are then quarantined.",
        name=repr(name),
        n=len(set(codes.values())),
        counts=", ".join(f"{word} ({count:,})" for word, count in rows.most_common()),
        flags=flags,
    )
    if set(codes.values()) == {"IRR", "IRT"}:
        tomans = listed(word for word, code in codes.items() if code == "IRT")
        turned = (
            f"CASE WHEN {quoted(name)} IN ({tomans}) THEN 10 * {quoted(amount)} ELSE {quoted(amount)} END"
        )
        flag = typed("--amount-expression", turned)
        message += " " + translated("Or use all of them, in rials: {flag}.", flag=flag)
    return Finding("mixed-currencies", message, fatal=True)
