"""Checks of columns beside the contract's: what they say of rows that are no sale, or less of one.

Shops export failed, cancelled, test and refunded orders beside the others. A column whose name or words say so, in
the languages of the usual shop systems, is found; the remedy is a condition, a formula or a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.amounts import numbers
from features.log.answers import NO, YES
from features.log.column_text import text
from features.log.columns import listed, quoted
from features.log.findings import Finding
from features.log.remedies import typed, with_replaced
from features.log.transactions import TransactionLog

_SAMPLE_ROWS = 200_000
_STATUS_VALUES = 30
_MOST = 0.95  # of the rows: a date that nearly all orders have is none of a cancellation
_BAD_STATUS = (
    *("failed", "failure", "cancelled", "canceled", "void", "voided", "declined", "pending", "unpaid"),
    *("draft", "test", "chargeback", "expired", "abandoned", "error", "rejected", "on-hold", "refunded"),
    *("storniert", "abgebrochen", "fehlgeschlagen", "abgelehnt", "erstattet"),
    *("annulé", "annulée", "échouée", "échoué", "remboursé", "remboursée"),
    *("cancelado", "cancelada", "fallido", "fallida", "rechazado", "reembolsado", "anulado", "estornado"),
    *("annullato", "annullata", "fallito", "rimborsato", "geannuleerd", "mislukt", "terugbetaald"),
    *("iptal", "iptal edildi", "iade edildi", "anulowane", "zwrócone", "отменён", "отменен", "возвращён"),
    *("لغو شده", "لغو‌شده", "ناموفق", "ملغى", "ملغي", "فاشل"),
)
_REFUND_WORDS = "|".join(
    (
        *("refund", "return", "credit note", "credit_note", "creditnote", "chargeback"),
        *("retoure", "erstattung", "gutschrift", "rücksendung", "remboursement", "retour", "avoir"),
        *(
            "devolución",
            "devolucion",
            "reembolso",
            "devolução",
            "rimborso",
            "nota di credito",
            "terugbetaling",
        ),
        *("iade", "zwrot", "возврат", "مرجوع", "برگشت", "استرداد", "مرتجع"),
    )
)
_TEST_COLUMN = re.compile(r"(is[ _]?)?test([ _]?(order|mode))?$")
_FLAG_COLUMN = re.compile(
    r"((is|was|has|ist)[ _]?)?(cancell?ed|cancellation|void(ed)?|refund(ed)?|return(ed)?|deleted|storniert|storno|"
    r"annulliert|retoure|retourniert|erstattet|annul[ée]e?|retourn[ée]e?|rembours[ée]e?|cancelad[oa]|anulad[oa]|"
    r"devuelt[oa]|devolvid[oa]|reembolsad[oa]|annullat[oa]|rimborsat[oa]|geannuleerd|geretourneerd|"
    r"iptal( edildi| mi)?|iade( edildi| mi)?|anulowane|zwr[oó]cone|отмен[её]н|возвращ[её]н|возврат|"
    r"لغو[ _\u200c]?شده|لغو|مرجوعی?|برگشتی?|ملغ[يى]|مرتجع)([ _]?flag)?$"
)
_ENDED_COLUMN = re.compile(
    r"(cancell?ed|voided|refunded|returned|deleted|charged[ _]?back)[ _]?(at|on|date|time)$"
)
_STATUS_COLUMN = re.compile(r"status|\bstate|zustand|durum|estado|statut|stato\b|وضعیت|حالة|статус")
_TWO_SIDES = (
    *({"s", "h"}, {"soll", "haben"}, {"d", "c"}, {"dr", "cr"}, {"debit", "credit"}, {"débit", "crédit"}),
    *({"debe", "haber"}, {"borç", "alacak"}, {"بدهکار", "بستانکار"}, {"مدين", "دائن"}),
)
"""Words of accounts for what is owed and what is given back."""
_REFUNDED_COLUMN = re.compile(r"(amount|total|value)?[ _]?refund(ed|s)?[ _]?(amount|total|value)?$")


def check_statuses(log: TransactionLog) -> Iterator[Finding]:
    """Look for columns that say which rows are no sale, are refunds, or were paid back in part."""
    used = pa.array(log.quarantine.used[:_SAMPLE_ROWS])
    raw = log.quarantine.raw.slice(0, _SAMPLE_ROWS).filter(used)
    cents = log.table["amount_cents"].slice(0, raw.num_rows)
    mapped = set(log.names.values())
    for name in dict.fromkeys(raw.column_names):
        column = raw.column(raw.column_names.index(name))
        if name in mapped:
            continue
        plain_name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip()
        if _TEST_COLUMN.match(plain_name):
            yield from _tests(name, column)
        elif _FLAG_COLUMN.match(plain_name) and (flagged := list(_flagged(name, column, cents))):
            yield from flagged
        elif _ENDED_COLUMN.match(plain_name):
            yield from _ended(name, column)
        elif _REFUNDED_COLUMN.match(plain_name):
            yield from _paid_back(name, column, cents, log)
        else:
            yield from _words(name, column, cents, log)


def _tests(name: str, column: pa.ChunkedArray) -> Iterator[Finding]:
    """Look at a column that tells which orders were placed to try the shop."""
    values = pc.utf8_lower(text(column))
    true = [value for value in values.unique().to_pylist() if value in YES]
    rows = int(pc.sum(pc.is_in(values, value_set=pa.array(true, pa.string()))).as_py() or 0)
    if 0 < rows < len(values):
        yield _no_sales(name, rows, listed(true), _is_none_of(name, column, true))


def _flagged(name: str, column: pa.ChunkedArray, cents: pa.ChunkedArray) -> Iterator[Finding]:
    """Look at a column that tells by yes and no which orders were cancelled or returned."""
    if pa.types.is_temporal(column.type) or pa.types.is_nested(column.type):
        return
    values = pc.utf8_lower(text(column))
    words = values.unique().drop_null()
    true = [word for word in words.slice(0, _STATUS_VALUES).to_pylist() if word in YES]
    if not true or not pc.all(pc.is_in(words, value_set=pa.array((*YES, *NO)))).as_py():
        return
    yes = pc.fill_null(pc.is_in(values, value_set=pa.array(true, pa.string())), False)
    rows = int(pc.sum(yes).as_py())
    # Returns whose amounts are negative are refunds already.
    if rows < len(values) and pc.any(pc.and_(yes, pc.greater(cents, 0))).as_py():
        yield _no_sales(name, rows, listed(true), _is_none_of(name, column, true))


def _is_none_of(name: str, column: pa.ChunkedArray, words: list[str]) -> str:
    """Return the condition of the rows that have none of the words; an empty cell is none."""
    if pa.types.is_boolean(column.type):
        return f"NOT coalesce({quoted(name)}, false)" if column.null_count else f"NOT {quoted(name)}"
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return f"coalesce({quoted(name)}, 0) = 0"
    written = f"lower({quoted(name)})"
    written = f"coalesce({written}, '')" if column.null_count else written
    return f"{written} NOT IN ({_list(words)})"


def _ended(name: str, column: pa.ChunkedArray) -> Iterator[Finding]:
    """Look at a column with the dates of cancellations."""
    written = text(column)
    rows = len(written) - written.null_count
    if 0 < rows < _MOST * len(written):
        text_column = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        left = f"coalesce({quoted(name)}, '') = ''" if text_column else f"{quoted(name)} IS NULL"
        yield _no_sales(name, rows, translated("a date"), left)


def _no_sales(name: str, rows: int, words: str, condition: str) -> Finding:
    return Finding(
        "statuses",
        translated(
            "Column {name} has {n:row|rows} of {words}, which count as orders. Leave out what is none: {flag}.",
            name=repr(name),
            words=words,
            n=rows,
            flag=typed("--where", condition),
        ),
    )


def _paid_back(
    name: str, column: pa.ChunkedArray, cents: pa.ChunkedArray, log: TransactionLog
) -> Iterator[Finding]:
    """Look at a column with the money that was paid back, which the amounts may still hold."""
    if log.amount_expression or pa.types.is_boolean(column.type) or pa.types.is_temporal(column.type):
        return
    back = np.abs(np.nan_to_num(numbers(column).to_numpy()))
    sold = cents.to_numpy() > 0
    rows = int((sold & (back > 0)).sum())
    if rows and np.isfinite(back).all():
        yield Finding(
            "refunded-amounts",
            translated(
                "Column {name} tells of money that was paid back in {n:row|rows}, about {share:.1%} of the sales. If "
                "the amounts still hold it, take it off: {flag}.",
                name=repr(name),
                n=rows,
                share=100 * back[sold].sum() / cents.to_numpy()[sold].sum(),
                flag=typed(
                    "--amount-expression",
                    f"{quoted(log.names.get('amount', 'amount'))} - coalesce({quoted(name)}, 0)",
                ),
            ),
        )


def _words(
    name: str, column: pa.ChunkedArray, cents: pa.ChunkedArray, log: TransactionLog
) -> Iterator[Finding]:
    """Look at a column of few words, such as statuses or kinds of rows."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return
    values = pc.utf8_lower(text(column))
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
    if len(counts) > _STATUS_VALUES:
        return
    bad = [value for value in counts if value and value.removeprefix("wc-") in _BAD_STATUS]
    refunds = [value for value in counts if value and _is_refund(value)]
    if _STATUS_COLUMN.search(
        name.lower()
    ):  # an order that came back is none, and has no second row of its own
        bad, refunds = [*bad, *(each for each in refunds if each not in bad)], []
    yield from _sides(name, column, counts, cents, log)
    positive = pc.and_(pc.is_in(values, value_set=pa.array(refunds, pa.string())), pc.greater(cents, 0))
    if refunds and not set(refunds) <= set(bad) and pc.any(positive).as_py():
        yield Finding(
            "positive-refunds",
            translated(
                "Column {name} says {words} in {n:row|rows} with a positive amount, which count as purchases. Turn "
                "them: {flag}.",
                name=repr(name),
                words=listed(refunds),
                n=pc.sum(positive).as_py(),
                flag=_turned(name, refunds, column, log),
            ),
        )
        bad = [value for value in bad if value not in refunds]
    if bad and len(counts) > 1:
        rows = sum(counts[value] for value in bad)
        yield _no_sales(name, rows, listed(bad), _is_none_of(name, column, bad))


def _sides(
    name: str,
    column: pa.ChunkedArray,
    counts: dict[str | None, int],
    cents: pa.ChunkedArray,
    log: TransactionLog,
) -> Iterator[Finding]:
    """Look at a column that says debit or credit beside amounts without a sign."""
    words = {value: count for value, count in counts.items() if value}
    if set(words) not in _TWO_SIDES or pc.any(pc.less(cents, 0)).as_py():
        return
    rarer = min(words, key=lambda word: words[word])
    yield Finding(
        "debit-and-credit",
        translated(
            "Column {name} says {words}, and no amount is negative: all count as purchases. If those of {rarer!r} "
            "({n:row|rows}) give money back, turn them: {flag}.",
            name=repr(name),
            words=listed(words),
            rarer=rarer,
            n=words[rarer],
            flag=_turned(name, [rarer], column, log),
        ),
    )


def _turned(name: str, refunds: list[str], column: pa.ChunkedArray, log: TransactionLog) -> str:
    """Return the flag that makes the amounts of refunds negative, of those that are not so yet."""
    if log.amount_expression:
        written = [each for each in text(column).unique().drop_null().to_pylist() if each.lower() in refunds]
        formula = f"({log.amount_expression})"
        return typed(
            "--amount-expression",
            f"CASE WHEN {quoted(name)} IN ({_list(written)}) THEN -{formula} ELSE {formula} END",
        )
    amount = quoted(log.names.get("amount", "amount"))
    written_amount = f"CAST({amount} AS VARCHAR)"
    turned = f"'-' || ltrim({written_amount}, '-')"
    is_refund = f"lower({quoted(name)}) IN ({_list(refunds)})"
    return with_replaced(f"CASE WHEN {is_refund} THEN {turned} ELSE {written_amount} END AS {amount}")


def _list(words: list[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _is_refund(status: str) -> bool:
    """Tell whether a status means a refund; a sale of which a part was refunded is a sale."""
    return bool(re.search(rf"\b({_REFUND_WORDS})", status)) and "partial" not in status
