"""Attributes of customers, such as region, plan or channel of acquisition, as a file says them at a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.behaviour.catalogue import ATTRIBUTE_PREFIX
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.errors import StayworthError
from features.language import translatable, translated
from features.log.findings import Finding
from features.log.settings import LogRules

MOST_VALUES = 200
"""Different values of an attribute: one of more tells single customers apart, and is left out."""

_ALWAYS = -(2**31)
_KEYS = ("customer_id", "valid_from")


@dataclass(frozen=True)
class Attributes:
    """Attributes of customers, each row from a day on.

    Attributes
    ----------
    table : pyarrow.Table
        customer_id, valid_from (days since 1970-01-01), and text columns `ATTRIBUTE_PREFIX` + name, null if empty
    findings : tuple of Finding, about columns that are left out
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The features: the columns but the keys."""
        return tuple(name for name in self.table.column_names if name not in _KEYS)

    @property
    def undated(self) -> tuple[str, ...]:
        """Names of the attributes that hold for all time, as no row says from when: all or none of a file."""
        dated = pc.any(pc.not_equal(self.table["valid_from"], _ALWAYS)).as_py()
        return () if dated else tuple(name.removeprefix(ATTRIBUTE_PREFIX) for name in self.names)

    @classmethod
    def known_now(cls, of_customer: Mapping[str, Mapping[str, str | None]]) -> Self:
        """Return attributes of customers as they are now, by customer and name; a name may be missing."""
        names = dict.fromkeys(name for own in of_customer.values() for name in own)
        columns = {
            ATTRIBUTE_PREFIX + name: pa.array([own.get(name) for own in of_customer.values()], pa.string())
            for name in names
        }
        keys = {
            "customer_id": pa.array(list(of_customer), pa.string()),
            "valid_from": pa.array([_ALWAYS] * len(of_customer), pa.int32()),
        }
        return cls(pa.table(keys | columns))

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: Mapping[str, str] | None = None
    ) -> Self:
        """Read a file of attributes: ``customer_id``, optionally ``valid_from``, and a column for each attribute.

        Without ``valid_from`` a row holds for all time; with it, from that day on until the customer's next row.

        Raises
        ------
        StayworthError
            If the file cannot be read, has no attribute, or has a customer twice or twice from one day on.
        """
        file = OptionalFile(path, ["customer_id"], rules)
        ids = [(aliases or {}).get(each, each) for each in file.ids("customer_id")]
        dated = file.has("valid_from")
        since = np.full(len(file), _ALWAYS, dtype=np.int64)
        if dated:
            since = file.optional_days("valid_from").fill_null(_ALWAYS).to_numpy().astype(np.int64)
        twice = pd.DataFrame({"customer_id": ids, "since": since}).duplicated().to_numpy()
        if dated:
            file.refuse(
                twice,
                translatable("have a customer a second time from the same day on"),
                "customer_id",
                "valid_from",
            )
        file.refuse(
            twice,
            translatable("have a customer who stands in the file before"),
            "customer_id",
            remedy=translatable(
                "Keep one row for each customer, or say from when each row holds in a column valid_from"
            ),
        )
        columns, findings = {}, []
        for name in (str(each) for each in file.table.columns if each not in _KEYS):
            texts = file.texts(name)
            if (values := len({each for each in texts if each is not None})) > MOST_VALUES:
                findings.append(_too_many(file.name, name, values))
            else:
                columns[ATTRIBUTE_PREFIX + name] = pa.array(texts, pa.string())
        if not columns:
            left_out = f" {findings[0].message}" if findings else ""
            raise StayworthError(
                left_out.strip()
                or translated(
                    "{name} has no attribute: beside customer_id and valid_from it needs a column such as "
                    "region.",
                    name=file.name,
                )
            )
        keys = {"customer_id": pa.array(ids, pa.string()), "valid_from": pa.array(since, pa.int32())}
        return cls(pa.table(keys | columns), tuple(findings))


def _too_many(file: str, name: str, values: int) -> Finding:
    return Finding(
        "too-many-values",
        translated(
            "{file}: {name} has {values:,} different values and is left out; an attribute has "
            "{most_values} at the most. Group them, such as regions instead of postal codes, or bands"
            " of a number.",
            file=file,
            name=name,
            values=values,
            most_values=MOST_VALUES,
        ),
    )
