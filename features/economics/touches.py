"""Touches of customers: ``touchpoints.csv (customer_id, occurred_at, touchpoint, quantity)``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.log.identity import read_ids
from features.log.settings import LogRules

THOUSANDTHS = 1_000  # of a touch: quantities are whole numbers, and sums exact


@dataclass(frozen=True)
class Touches:
    """Touches of customers: calls, messages, complaints.

    Attributes
    ----------
    table : pyarrow.Table
        customer_id (null: not known), day (int), touchpoint, quantity (thousandths)
    quantities : ndarray of shape (n_touches,)
    """

    table: pa.Table
    quantities: np.ndarray

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: dict[str, str] | None = None
    ) -> Self:
        """Read ``touchpoints.csv (customer_id, occurred_at, touchpoint, quantity)``; a quantity is 1 if there is none.

        Raises
        ------
        StayworthError
            If the file cannot be read, or a date, a touchpoint or a quantity cannot.
        """
        file = OptionalFile(path, ["customer_id", "occurred_at", "touchpoint"], rules)
        ids = read_ids(file.table["customer_id"], rules.fold_ids).to_pylist()
        names = file.texts("touchpoint")
        file.refuse(
            np.array([name is None for name in names], dtype=bool), "have no touchpoint", "touchpoint"
        )
        quantities = file.numbers("quantity") if file.has("quantity") else np.ones(len(file))
        table = pa.table(
            {
                "customer_id": pa.array([(aliases or {}).get(each, each) for each in ids], pa.string()),
                "day": pa.array(file.days("occurred_at"), pa.int32()),
                "touchpoint": pa.array(names, pa.string()),
                "quantity": pa.array(np.rint(quantities * THOUSANDTHS).astype(np.int64)),
            }
        )
        return cls(table, quantities)

    @classmethod
    def none(cls) -> Self:
        """Return no touches."""
        types = {
            "customer_id": pa.string(),
            "day": pa.int32(),
            "touchpoint": pa.string(),
            "quantity": pa.int64(),
        }
        return cls(pa.schema(types).empty_table(), np.zeros(0))

    @property
    def names(self) -> list[str]:
        """The touchpoints."""
        return sorted(set(self.table["touchpoint"].to_pylist()))
