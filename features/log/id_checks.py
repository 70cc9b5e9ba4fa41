"""Checks of a log's customer ids: merged, split, or naming nobody, an order or a row of totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.language import translated
from features.log.columns import quoted
from features.log.findings import Finding
from features.log.id_writing_checks import check_writing
from features.log.identity import NOBODY, NOBODY_ADDRESS, NOBODY_NUMBER, examples
from features.log.remedies import typed
from features.log.settings import LogRules
from features.log.transactions import TransactionLog

DOMINANT = 0.05
_SUMMARIES: dict[str, Callable[[np.ndarray], float]] = {
    **dict.fromkeys(
        ("average", "avg", "mean", "durchschnitt", "mittelwert", "moyenne", "promedio", "media", "ortalama"),
        np.mean,
    ),
    **dict.fromkeys(("میانگین", "متوسط", "المتوسط", "среднее", "平均"), np.mean),
    **dict.fromkeys(("max", "maximum", "maximal", "máximo", "massimo", "بیشینه", "حداکثر", "最大"), np.max),
    **dict.fromkeys(("min", "minimum", "mínimo", "minimo", "کمینه", "حداقل", "最小"), np.min),
    **dict.fromkeys(("median", "mediane", "médiane", "mediana", "میانه", "中央値"), np.median),
    **dict.fromkeys(
        ("count", "anzahl", "nombre", "número", "numero", "adet", "تعداد", "عدد"),
        lambda cents: 100 * cents.size,
    ),
}
_FEW_ROWS = 50
_OFTEN = 3  # times as many rows as half of the customers have


def check_ids(log: TransactionLog, rules: LogRules) -> Iterator[Finding]:
    """Look for ids that were merged or split by how they are written, or that stand for nobody.

    Parameters
    ----------
    log : TransactionLog
    rules : LogRules by which it was read
    """
    ids, rows = log.customer_ids.dictionary, pa.array(np.bincount(log.customer_codes))
    yield from check_writing(log, ids, rules)
    yield from _check_nobody(log, ids, rows)
    yield from _check_summaries(log, ids)
    most = pc.max(rows).as_py()
    if len(ids) >= _FEW_ROWS // 2 and most > DOMINANT * log.table.num_rows and most >= _FEW_ROWS:
        (largest,) = ids.filter(pc.equal(rows, most)).to_pylist()[:1]
        yield Finding(
            "dominant-id",
            translated(
                "One customer, {customer}, has {most:,} of {rows:,} rows ({share:.0%}): a reseller, or an id for many?",
                customer=repr(largest),
                most=most,
                rows=log.table.num_rows,
                share=most / log.table.num_rows,
            ),
        )
    yield from _check_repeats(log, len(ids))


def _check_nobody(log: TransactionLog, ids: pa.Array, rows: pa.Array) -> Iterator[Finding]:
    """Look for ids that people give to customers whom they do not know, or who are none."""
    lower = pc.utf8_lower(ids)
    nobody = pc.is_in(lower, value_set=pa.array(NOBODY))
    # A numbering may begin with 0000, whose owner buys as others do.
    often = pc.greater(rows, _OFTEN * float(np.median(rows.to_numpy())))
    nobody = pc.or_(nobody, pc.and_(pc.match_substring_regex(ids, NOBODY_NUMBER), often))
    typed = pc.match_substring_regex(lower, NOBODY_ADDRESS)
    if 4 * pc.sum(typed).as_py() < len(ids):  # an anonymised log may hold nothing else
        nobody = pc.or_(nobody, typed)
    if pc.any(nobody).as_py():
        names, theirs = ids.filter(nobody).to_pylist(), pc.sum(rows.filter(nobody)).as_py()
        yield Finding(
            "nobody-ids",
            translated(
                "{n:row belongs|rows belong} to {names}, which probably stands for customers who are not known, and "
                "count as one. Leave them out: {flag}.",
                n=theirs,
                names=examples(names),
                flag=_left_out(log, names),
            ),
        )


def _check_summaries(log: TransactionLog, ids: pa.Array) -> Iterator[Finding]:
    """Look for rows below the orders, such as their average: an id that says so, and an amount that is it."""
    called = pc.is_in(pc.utf8_lower(ids), value_set=pa.array(list(_SUMMARIES)))
    if not pc.any(called).as_py():
        return
    places = np.flatnonzero(called)
    is_summary = np.isin(log.customer_codes, places)
    cents = log.table["amount_cents"].to_numpy()
    orders, names = cents[~is_summary], []
    for place, name in zip(places, ids.filter(called).to_pylist(), strict=True):
        theirs = cents[log.customer_codes == place]
        if orders.size and theirs.size == 1 and abs(_SUMMARIES[name.lower()](orders) - theirs[0]) <= 1:
            names.append(name)
    if names:
        yield Finding(
            "summary-rows",
            translated(
                "{n:row is|rows are} no order, but the {names} of the others, and count as customers. Leave them out: "
                "{flag}.",
                n=len(names),
                names=examples(names),
                flag=_left_out(log, names),
            ),
        )


def _left_out(log: TransactionLog, names: list[str]) -> str:
    """Return the flag that leaves ids out."""
    column = quoted(log.names.get("customer_id", "customer_id"))
    first, *others = ["'" + name.replace("'", "''") + "'" for name in names]
    condition = f"{column} NOT IN ({', '.join([first, *others])})" if others else f"{column} <> {first}"
    return typed("--where", condition)


def _check_repeats(log: TransactionLog, customers: int) -> Iterator[Finding]:
    """Look for ids that are an order's instead of a customer's."""
    if log.table.num_rows < _FEW_ROWS or log.first_day == log.last_day:
        return
    days, codes = log.days, log.customer_codes
    one_day = np.empty(customers, dtype=days.dtype)
    one_day[codes] = days
    if (one_day[codes] == days).all():
        yield Finding(
            "ids-per-order",
            translated(
                "None of {n:customer|customers} has orders on two days: is the column {column} an id of the order, or "
                "new with each order?",
                n=customers,
                column=repr(log.names.get("customer_id", "customer_id")),
            ),
        )
