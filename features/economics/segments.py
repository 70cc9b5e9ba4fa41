"""Segments of customers: a column of ``customers.csv``, what the log says of their first purchase, or cohorts.

``first_channel``, ``first_product`` and ``acquisition_period`` come from the log, ``[[cohorts]]`` of a TOML file from
its rows (``name``, ``from``, ``to``, ``where``), any other name is a column of the customers' file. What a customer is
does not change with time here; tiers and stages do (`features.economics.dated_segments`). Who is in no segment is
`UNKNOWN`. Cohorts may overlap: a customer can be in several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.economics.cohort_files import Cohort, read_cohorts
from features.economics.people import CustomerTable
from features.economics.periods import Periods
from features.engines.engine import Engine, EngineError
from features.errors import StayworthError
from features.language import translated
from features.log.identity import examples
from features.suggestion import did_you_mean
from features.table.purchase_days import LOG

EVERYONE, UNKNOWN, NEW = "all", "unknown", "new"
MOST_SEGMENTS = 200
ACQUISITION_PERIOD = "acquisition_period"
FROM_LOG = {"first_channel": "channel", "first_product": "product_id"}

# Of several on the first day the first by name is taken: orders of a day have no order.
FIRST_VALUE = f"""SELECT customers.customer AS customer, coalesce(min({{column}}), '{UNKNOWN}') AS segment
FROM customers
LEFT JOIN {LOG} AS log ON log.customer_id = customers.customer_id
  AND unix_date(log.ordered_on) = customers.first_day AND amount_cents >= 0
GROUP BY customers.customer"""

_LISTED = f"""SELECT customers.customer AS customer, coalesce(segment, '{UNKNOWN}') AS segment
FROM customers
LEFT JOIN segment_list ON segment_list.customer_id = customers.customer_id"""

_ACQUIRED = f"""SELECT customers.customer AS customer, coalesce(label, '{UNKNOWN}') AS segment
FROM customers
LEFT JOIN period_labels ON period_labels.period = customers.first_period"""


class Segments(ABC):
    """A way to tell customers apart, for all time or by period.

    Attributes
    ----------
    others : str
        By period: the segment of customers who had bought before and are not in ``membership_at``. Empty: for all time.
    dated_from : date or None, the day from which segments by period are what was known then; None: always
    """

    others: ClassVar[str] = ""
    dated_from: date | None = None

    @abstractmethod
    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the table ``membership (customer, segment)``, and return the segments by name.

        By period ``membership_at (customer, known, segment)`` besides, by the numbers of `known_at`.
        """

    @abstractmethod
    def settled_on(self, segment: str) -> date | None:
        """Return the day from which it is known who belongs to a segment for all time; None: always."""

    def known_at(self, periods: Periods) -> npt.NDArray[np.int64]:
        """Return the number of what is known of segments at the start of each period."""
        return np.zeros(len(periods), dtype=np.int64)


@dataclass(frozen=True)
class ListedSegments(Segments):
    """Segments that a file names: one of its columns, by customer.

    Attributes
    ----------
    column : str
    of_customer : mapping of customer ids to the segment; None where the cell is empty
    known_on : date or None, the day from which it is known who belongs; None: always
    """

    column: str
    of_customer: Mapping[str, str | None]
    known_on: date | None = None

    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the table ``membership``."""
        listed = {"customer_id": list(self.of_customer), "segment": list(self.of_customer.values())}
        types = pa.schema([("customer_id", pa.string()), ("segment", pa.string())])
        engine.register("segment_list", pa.table(listed, schema=types))
        engine.create("membership", _LISTED)
        return _names(engine, self.column)

    def settled_on(self, segment: str) -> date | None:
        """Return the day for which the file says it; None: for all time."""
        return self.known_on


@dataclass(frozen=True)
class FirstPurchaseSegments(Segments):
    """The channel or the product of the first purchase day, or the period in which it lies."""

    name: str

    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the table ``membership``."""
        if self.name == ACQUISITION_PERIOD:
            labels = {"period": list(range(len(periods))), "label": [period.label for period in periods]}
            types = pa.schema([("period", pa.int32()), ("label", pa.string())])
            engine.register("period_labels", pa.table(labels, schema=types))
            engine.create("membership", _ACQUIRED)
        else:
            engine.create("membership", FIRST_VALUE.format(column=FROM_LOG[self.name]))
        return _names(engine, self.name)

    def settled_on(self, segment: str) -> date | None:
        """Return None: it is known with the first purchase."""
        return None


@dataclass(frozen=True)
class CohortSegments(Segments):
    """Cohorts of a TOML file; customers of none are in the segment ``unknown``."""

    cohorts: Sequence[Cohort]

    def members(self, engine: Engine, periods: Periods) -> list[str]:
        """Create the table ``membership``.

        Raises
        ------
        StayworthError
            If the condition of a cohort cannot be used.
        """
        parts = []
        for cohort in self.cohorts:
            name, conditions = cohort.name.replace("'", "''"), ["amount_cents >= 0"]
            conditions += [f"ordered_on >= DATE '{cohort.start}'"] if cohort.start else []
            conditions += [f"ordered_on < DATE '{cohort.end}'"] if cohort.end else []
            conditions += [f"({cohort.where})"] if cohort.where and not cohort.only else []
            ids = f"SELECT customer_id FROM {LOG} WHERE {' AND '.join(conditions)} GROUP BY customer_id"
            if cohort.only:
                ids += f" HAVING min(CASE WHEN {cohort.where} THEN 1 ELSE 0 END) = 1"
            try:
                engine.create("cohort_check", f"SELECT count(*) AS customers FROM ({ids}) AS found")
            except EngineError as error:
                raise StayworthError(
                    translated(
                        "The cohort {name!r} cannot be used: {reason}. Its condition is over the columns of "
                        "the validated log: customer_id, ordered_on, amount_cents and those that it has of "
                        "order_id, channel, product_id, category, quantity, margin_cents, discount_cents.",
                        name=cohort.name,
                        reason=str(error).splitlines()[0],
                    )
                ) from None
            parts.append(f"SELECT customer_id, '{name}' AS segment FROM ({ids}) AS found")
        engine.create("segment_list", "\nUNION ALL\n".join(parts))
        engine.create("membership", _LISTED)
        return _names(engine, "cohorts")

    def settled_on(self, segment: str) -> date | None:
        """Return the end of the cohort's span; of a cohort without one, and of those in none, the end of time."""
        ends = [each.end or date.max for each in self.cohorts if segment in (each.name, UNKNOWN)]
        return max(ends)


def read_segments(
    column: str,
    people: CustomerTable | None,
    log_columns: Sequence[str],
    dated: Mapping[str, Segments] | None = None,
) -> Segments:
    """Return the segments of a name, or of a TOML file of cohorts.

    Parameters
    ----------
    column : str, one of `FROM_LOG`, `ACQUISITION_PERIOD`, a column of the customers' file, or a path ``*.toml``
    people : CustomerTable or None
    log_columns : the columns that the log has
    dated : mapping of other names to their segments, such as tiers and stages

    Raises
    ------
    StayworthError
        If there is no such column or file, or a customer has two segments.
    """
    if column.endswith(".toml"):
        return CohortSegments(read_cohorts(Path(column)))
    if column == ACQUISITION_PERIOD:
        return FirstPurchaseSegments(column)
    if column in (dated or {}):
        return (dated or {})[column]
    if column in FROM_LOG:
        if FROM_LOG[column] not in log_columns:
            raise StayworthError(
                translated(
                    "--segment {column} needs a column {needed} in the log, which has none.",
                    column=column,
                    needed=FROM_LOG[column],
                )
            )
        return FirstPurchaseSegments(column)
    if people is None:
        choices = [*FROM_LOG, ACQUISITION_PERIOD, "tier", "stage"]
        near = did_you_mean(column, choices)
        raise StayworthError(
            translated(
                "--segment {column} is a column of the customers' file: give --customers. Without it: {choices}.",
                column=column,
                choices=choices,
            )
            + near
        )
    return ListedSegments(column, people.values(column))


def _names(engine: Engine, column: str) -> list[str]:
    names = engine.query("SELECT DISTINCT segment FROM membership ORDER BY segment")["segment"].to_pylist()
    if len(names) > MOST_SEGMENTS:
        raise StayworthError(
            translated(
                "--segment {column} has {n:,} values, such as {names}. A segment column has few: "
                "{most:,} at most.",
                column=column,
                n=len(names),
                names=examples(names),
                most=MOST_SEGMENTS,
            )
        )
    if EVERYONE in names:
        raise StayworthError(
            translated(
                "--segment {column} has the value {name!r}, which stands for all customers. Rename it.",
                column=column,
                name=EVERYONE,
            )
        )
    return list(map(str, names))
