"""Prices by month, by which a log's money is turned into that of one month: real money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.language import translated

MONEY_COLUMNS = ("amount_cents", "margin_cents", "discount_cents")
_SAME = 0.01  # an index is corrected by less
_LONGEST_MONTH = 31


@dataclass(frozen=True)
class Prices:
    """What money of each month is worth in that of one month, the base.

    Attributes
    ----------
    base : str, the month whose money all is, such as 1998-06 or 1394-02
    months : tuple of str, the months of a log, in order
    first_days : tuple of int, of the months, days since 1970-01-01
    factors : tuple of float, what money of each month is multiplied with

    Examples
    --------
    >>> prices = Prices("1998-02", ("1998-01", "1998-02"), (10227, 10258), (1.25, 1.0))
    >>> prices.of_days(np.array([10000, 10240, 10258, 20000]))
    array([1.25, 1.25, 1.  , 1.  ])
    """

    base: str
    months: tuple[str, ...]
    first_days: tuple[int, ...]
    factors: tuple[float, ...]

    def of_days(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what money of each day is multiplied with; days before and after the months take their ends'."""
        place = np.searchsorted(np.array(self.first_days), days, side="right") - 1
        found: npt.NDArray[np.float64] = np.array(self.factors)[np.clip(place, 0, len(self.factors) - 1)]
        return found

    @property
    def known_until(self) -> date:
        """The last day that may lie in the last month, of 31 days at most."""
        return date(1970, 1, 1) + timedelta(days=self.first_days[-1] + _LONGEST_MONTH - 1)

    def in_money_of(self, base: str) -> Prices:
        """Return the prices in the money of another month; these, if it is none of theirs."""
        if base not in self.months:
            return self
        one = self.factors[self.months.index(base)]
        return Prices(base, self.months, self.first_days, tuple(each / one for each in self.factors))

    def converted(self, table: pa.Table) -> pa.Table:
        """Return a table of orders, ``ordered_on`` and `MONEY_COLUMNS` in cents, in the base's money."""
        factors = self.of_days(table["ordered_on"].cast(pa.int32()).to_numpy().astype(np.int64))
        for name in MONEY_COLUMNS:
            if name in table.column_names:
                cents = table[name].combine_chunks()
                known = np.nan_to_num(cents.to_numpy(zero_copy_only=False).astype(np.float64) * factors)
                rounded = np.copysign(np.floor(np.abs(known) + 0.5), known).astype(np.int64)
                column = pa.array(rounded, mask=np.asarray(cents.is_null()))
                table = table.set_column(table.column_names.index(name), name, column)
        return table

    def changed(self, other: Prices) -> str:
        """Return the month by which other prices say something else than these; empty if there is none."""
        same = other.in_money_of(self.base)
        theirs = dict(zip(same.months, same.factors, strict=True))
        for month, factor in zip(self.months, self.factors, strict=True):
            if abs(theirs.get(month, factor) / factor - 1) > _SAME:
                return month
        return ""

    def in_words(self) -> str:
        """Say whose money it is.

        Examples
        --------
        >>> Prices("1998-02", ("1998-02",), (10258,), (1.0,)).in_words()
        'Money is that of 1998-02, by the deflator.'
        """
        return translated("Money is that of {month:label}, by the deflator.", month=self.base)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Prices:
        """Read what `to_dict` wrote."""
        base, *others = (record[name] for name in ("base", "months", "first_days", "factors"))
        return cls(str(base), *map(tuple, others))
