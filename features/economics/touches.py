"""Touches of customers: ``touchpoints.csv (customer_id, occurred_at, touchpoint, quantity, outcome, sentiment)``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.language import translatable
from features.log.findings import Finding
from features.log.identity import read_ids
from features.log.settings import LogRules

THOUSANDTHS = 1_000  # of a touch: quantities are whole numbers, and sums exact
RESPONDED = "responded"

TOUCH_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("day", pa.int32()),
        ("touchpoint", pa.string()),
        ("quantity", pa.int64()),
        ("responded", pa.bool_()),
        ("sentiment", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Touches:
    """Touches of customers: calls, messages, complaints.

    Attributes
    ----------
    table : pyarrow.Table
        customer_id (null: not known), day (int), touchpoint, quantity (thousandths), responded (whether the outcome is
        `RESPONDED`), sentiment (thousandths of -1 to 1, null where there is none)
    quantities : ndarray of shape (n_touches,)
    findings : tuple of Finding, on how the quantities are written
    """

    table: pa.Table
    quantities: np.ndarray
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: dict[str, str] | None = None
    ) -> Self:
        """Read ``touchpoints.csv``; a quantity is 1 if there is none, outcome and sentiment may be missing.

        Raises
        ------
        StayworthError
            If the file cannot be read, or a date, a touchpoint or a quantity cannot, or a sentiment lies outside its
            range.
        """
        file = OptionalFile(path, ["customer_id", "occurred_at", "touchpoint"], rules)
        ids = read_ids(file.table["customer_id"], rules.fold_ids).to_pylist()
        names = file.texts("touchpoint")
        file.refuse(
            np.array([name is None for name in names], dtype=bool),
            translatable("have no touchpoint"),
            "touchpoint",
        )
        quantities = file.numbers("quantity") if file.has("quantity") else np.ones(len(file))
        table = pa.table(
            {
                "customer_id": pa.array([(aliases or {}).get(each, each) for each in ids], pa.string()),
                "day": pa.array(file.days("occurred_at"), pa.int32()),
                "touchpoint": pa.array(names, pa.string()),
                "quantity": pa.array(np.rint(quantities * THOUSANDTHS).astype(np.int64)),
                "responded": _responded(file),
                "sentiment": _sentiments(file),
            },
            schema=TOUCH_SCHEMA,
        )
        return cls(table, quantities, tuple(file.findings))

    @classmethod
    def none(cls) -> Self:
        """Return no touches."""
        return cls(TOUCH_SCHEMA.empty_table(), np.zeros(0))

    def and_others(self, others: Touches) -> Touches:
        """Return these touches and others."""
        table = pa.concat_tables([self.table, others.table])
        quantities = np.concatenate([self.quantities, others.quantities])
        return Touches(table, quantities, (*self.findings, *others.findings))

    @property
    def names(self) -> list[str]:
        """The touchpoints."""
        return sorted(set(self.table["touchpoint"].to_pylist()))


def _responded(file: OptionalFile) -> pa.Array:
    if not file.has("outcome"):
        return pa.nulls(len(file), pa.bool_())
    return pa.array([(text or "").casefold() == RESPONDED for text in file.texts("outcome")], pa.bool_())


def _sentiments(file: OptionalFile) -> pa.Array:
    if not file.has("sentiment"):
        return pa.nulls(len(file), pa.int64())
    found = file.numbers("sentiment", negative=True, missing=True)
    file.refuse(np.abs(found) > 1, translatable("have a sentiment outside -1 to 1"), "sentiment")
    thousandths = np.rint(np.nan_to_num(found) * THOUSANDTHS).astype(np.int64)
    return pa.array(thousandths, mask=np.isnan(found))
