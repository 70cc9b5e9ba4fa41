"""Receivables: the invoices of customers.

``receivables.csv (customer_id, issued_at, due_at, amount, paid_at, paid_amount, written_off_at)`` has a row per
invoice. What of it was known at a date is the matter of `features.economics.ageing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.language import translatable, translated
from features.log.amounts import cents
from features.log.dates import local_now
from features.log.findings import Finding
from features.log.identity import read_ids
from features.log.settings import LogRules

INVOICE_IDS = ("invoice_id", "invoice", "invoice_no", "invoice_number")


@dataclass(frozen=True)
class Receivables:
    """Invoices of customers.

    Attributes
    ----------
    table : pyarrow.Table
        customer_id (null: not known), issued, due, paid, written_off (days since 1970-01-01; the last two may be
        null), amount_cents, paid_cents
    findings : tuple of Finding
    currency : str or None, where the file names it
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()
    currency: str | None = None

    @classmethod
    def read(
        cls,
        path: str | Path,
        rules: LogRules = PLAIN_RULES,
        aliases: Mapping[str, str] | None = None,
        *,
        now: datetime | None = None,
    ) -> Self:
        """Read receivables; ``paid_at``, ``paid_amount`` and ``written_off_at`` may be empty or missing.

        An invoice with ``paid_at`` and no ``paid_amount`` is paid in full. What was paid beyond the amount counts as
        paid in full. This is reported, and so are invoices that stand in the file twice, by ``invoice_id`` (or another
        of `INVOICE_IDS`) where it has one and else by all that is known of them, and those of the future, after
        ``now``, by default this day.

        Raises
        ------
        StayworthError
            If the file cannot be read, an amount is negative, an invoice is due or written off before it was issued,
            or an amount was paid on no day.
        """
        file = OptionalFile(path, ["customer_id", "issued_at", "due_at", "amount"], rules)
        currency = file.currency("amount", "paid_amount")
        issued, due = file.days("issued_at"), file.days("due_at")
        none = pa.nulls(len(file), pa.int32())
        paid = file.optional_days("paid_at") if file.has("paid_at") else none
        written_off = file.optional_days("written_off_at") if file.has("written_off_at") else none
        file.refuse(due < issued, translatable("are due before they were issued"), "issued_at", "due_at")
        early = pd.Series(written_off.to_pandas() < issued).fillna(False).to_numpy(dtype=bool)
        if early.any():
            file.refuse(
                early, translatable("are written off before they were issued"), "issued_at", "written_off_at"
            )
        amounts, is_paid = file.cents("amount"), ~np.asarray(paid.is_null())
        given = (
            file.numbers("paid_amount", missing=True)
            if file.has("paid_amount")
            else np.full(len(file), np.nan)
        )
        dateless = (given > 0) & ~is_paid
        if dateless.any():
            columns = [name for name in ("paid_amount", "paid_at") if file.has(name)]
            file.refuse(dateless, translatable("have a paid_amount and no day in paid_at"), *columns)
        paid_cents = np.where(np.isnan(given), amounts, cents(np.nan_to_num(given)))
        over = is_paid & (paid_cents > amounts)
        ids = read_ids(file.table["customer_id"], rules.fold_ids).to_pylist()
        table = pa.table(
            {
                "customer_id": pa.array([(aliases or {}).get(each, each) for each in ids], pa.string()),
                "issued": pa.array(issued, pa.int32()),
                "due": pa.array(due, pa.int32()),
                "amount_cents": pa.array(amounts, pa.int64()),
                "paid": paid,
                "paid_cents": pa.array(np.where(is_paid, np.minimum(paid_cents, amounts), 0), pa.int64()),
                "written_off": written_off,
            }
        )
        found = [*file.findings, *([_overpaid(file, over)] if over.any() else [])]
        return cls(table, (*found, *_twice(file, table), *_of_the_future(file, table, now)), currency)


def _overpaid(file: OptionalFile, over: npt.NDArray[np.bool_]) -> Finding:
    return Finding(
        "overpaid",
        translated(
            "{file}: for {n:row|rows} more was paid than is owed; they count as paid in full: {rows}.",
            file=file.name,
            n=int(over.sum()),
            rows=file.described(over, "customer_id", "amount", "paid_amount"),
        ),
    )


def _twice(file: OptionalFile, table: pa.Table) -> Iterator[Finding]:
    """Find invoices that stand in the file before: their money is open twice."""
    invoice_id = next(filter(file.has, INVOICE_IDS), None)
    known = pd.DataFrame({"id": file.texts(invoice_id)}) if invoice_id else table.to_pandas()
    twice = known.duplicated().to_numpy() & known.notna().any(axis="columns").to_numpy()
    if not twice.any():
        return
    yield Finding(
        "invoices-twice",
        translated(
            "{file}: {n:row has|rows have} an invoice that stands in the file before, and all count: {rows}. If a part "
            "payment has a row of its own, or an export was appended to another, keep one row for each invoice.",
            file=file.name,
            n=int(twice.sum()),
            rows=file.described(twice, "customer_id", invoice_id or "issued_at", "amount"),
        ),
    )


def _of_the_future(file: OptionalFile, table: pa.Table, now: datetime | None) -> Iterator[Finding]:
    """Find days that have not come yet; a day when an invoice is due may be one of them."""
    today = int(local_now(now, file.rules.timezone).astype("datetime64[D]").astype(np.int64))
    for column, name in (("issued", "issued_at"), ("paid", "paid_at"), ("written_off", "written_off_at")):
        late = pd.Series(table[column].to_pandas() > today).fillna(False).to_numpy(dtype=bool)
        if late.any():
            yield Finding(
                "receivables-of-the-future",
                translated(
                    "{file}: {n:row has|rows have} a day in {column} that has not come yet; until then it is not "
                    "known: {rows}. Are days and months, or years, exchanged?",
                    file=file.name,
                    n=int(late.sum()),
                    column=name,
                    rows=file.described(late, "customer_id", name),
                ),
            )
