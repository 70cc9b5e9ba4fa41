"""What things cost: a TOML file of unit costs of touchpoints, dated, and of pools of overhead by month.

::

    [[touchpoints]]
    touchpoint = "call"
    kind = "contact"             # contact, complaint or send
    unit_cost = 4.50
    valid_from = 2015-01-01      # optional: without it, always
    per = "period"               # order: it comes with each purchase; period: with time

    [[pools]]
    pool = "support desk"
    month = "2015-03"
    cost = 1000
    driver = "orders"            # orders, revenue, active days, equal, touchpoint, or the name of one
    per = "order"

    [unpaid_rates]               # optional: shares of open invoices that are never paid, by their age
    not_due = 0.01
    days_1_30 = 0.03

A touchpoint is one kind of cost, and comes with orders or with time, whatever it costs when. A table ``[costs]`` may
stand in the same file: what values assume per purchase and day (``stayworth train``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.documents import read_toml
from features.economics.periods import Periods
from features.errors import StayworthError, WindowError
from features.invalid import why
from features.language import translated
from features.log.amounts import cents

DRIVERS = ("orders", "revenue", "active days", "equal", "touchpoint")
Per = Literal["order", "period"]
Name = Annotated[str, Field(min_length=1)]
Entry = TypeVar("Entry", bound=BaseModel)


class UnitCost(BaseModel):
    """What one touch of a touchpoint costs from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    touchpoint: Name
    kind: Literal["contact", "complaint", "send"] = "contact"
    unit_cost: float = Field(ge=0, allow_inf_nan=False)
    valid_from: date = date.min
    per: Per = "period"


class PoolCost(BaseModel):
    """Overhead of a month, and what it is shared out by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: Name
    month: Name
    cost: float = Field(ge=0, allow_inf_nan=False)
    driver: Name
    per: Per = "period"

    @property
    def cents(self) -> int:
        """The cost in cents."""
        return int(cents(np.array([self.cost]))[0])


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class UnpaidRates(BaseModel):
    """Shares of open amounts that are never paid, by the days since they were due."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    not_due: Share | None = None
    days_1_30: Share | None = None
    days_31_60: Share | None = None
    days_61_90: Share | None = None
    days_91_180: Share | None = None
    over_180: Share | None = None


@dataclass(frozen=True)
class CostTable:
    """All costs of a file.

    Attributes
    ----------
    units : sequence of UnitCost
    pools : sequence of PoolCost
    unpaid_rates : mapping of ages (`features.economics.ageing.AGES`) to rates, of those that are given
    campaigns : frozenset of touchpoints that are a campaign's, which are over: not to be shifted, nor forecast
    """

    units: Sequence[UnitCost] = ()
    pools: Sequence[PoolCost] = ()
    unpaid_rates: Mapping[str, float] = field(default_factory=dict)
    campaigns: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of costs.

        Raises
        ------
        StayworthError
            If it cannot be read, a cost is negative, a key is not known, or a cost stands twice.
        """
        try:
            content = read_toml(path)
        except (OSError, ValueError) as error:
            raise StayworthError(translated("Cannot read {path}: {error}.", path=path, error=error)) from None
        if unknown := sorted(set(content) - {"touchpoints", "pools", "unpaid_rates", "costs"}):
            raise StayworthError(
                translated(
                    "{path} has {unknown!r}; costs stand under [[touchpoints]] and [[pools]], rates under "
                    "[unpaid_rates], what values assume under [costs].",
                    path=path,
                    unknown=unknown[0],
                )
            )
        units = [_entry(UnitCost, entry, path) for entry in _tables(content, "touchpoints", path)]
        pools = [_entry(PoolCost, entry, path) for entry in _tables(content, "pools", path)]
        keys: list[tuple[str, object]] = [(each.touchpoint, each.valid_from) for each in units]
        keys += [(each.pool, each.month) for each in pools]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise StayworthError(
                translated(
                    "{path} has two costs of {item!r} for {day}. Keep one.",
                    path=path,
                    item=twice[0][0],
                    day=twice[0][1],
                )
            )
        _require_one_sort(units, path)
        rates = content.get("unpaid_rates", {})
        if not isinstance(rates, dict):
            raise StayworthError(translated("{path}: [unpaid_rates] stands in one bracket, once.", path=path))
        given = _entry(UnpaidRates, rates, path).model_dump(exclude_none=True)
        return cls(units, pools, given)

    def unit_cents(
        self,
        touchpoints: Sequence[str | None],
        days: npt.NDArray[np.int64],
        quantities: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Return what each touch costs by the cost valid on its day, in whole cents; NaN without one."""
        found = np.full(len(days), np.nan)
        names = np.array(touchpoints, dtype=object)
        for name in {each.touchpoint for each in self.units}:
            own = sorted(
                (each for each in self.units if each.touchpoint == name), key=lambda each: each.valid_from
            )
            starts = np.array([(each.valid_from - date(1970, 1, 1)).days for each in own])
            rows = np.flatnonzero(names == name)
            place = np.searchsorted(starts, days[rows], side="right") - 1
            priced = place >= 0
            costs = np.array([each.unit_cost for each in own])[place[priced]]
            found[rows[priced]] = cents(quantities[rows[priced]] * costs, 5e-15)
        return found

    def pool_months(self, months: Periods) -> list[tuple[PoolCost, int | None]]:
        """Return each pool with the number of its month; None where the log does not have it."""
        return [(pool, _place_of(pool, months)) for pool in self.pools]


def _tables(content: dict[str, object], name: str, path: Path) -> list[dict[str, object]]:
    tables = content.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise StayworthError(
            translated("{path}: costs stand under [[{name}]], in two brackets.", path=path, name=name)
        )
    return tables


def _require_one_sort(units: Sequence[UnitCost], path: Path) -> None:
    """Raise a StayworthError if a touchpoint has two kinds, or comes with orders and with time."""
    sorts: dict[str, tuple[str, str]] = {}
    for unit in units:
        sort = (unit.kind, unit.per)
        if sorts.setdefault(unit.touchpoint, sort) != sort:
            raise StayworthError(
                translated(
                    "{path}: the costs of {touchpoint!r} differ in kind or per: {one} and {other}. Give its "
                    "touches two names.",
                    path=path,
                    touchpoint=unit.touchpoint,
                    one=list(sorts[unit.touchpoint]),
                    other=list(sort),
                )
            )


def _entry(kind: type[Entry], entry: dict[str, object], path: Path) -> Entry:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        what = next((str(entry[key]) for key in ("touchpoint", "pool") if key in entry), None)
        what = what or ("unpaid_rates" if kind is UnpaidRates else "a cost")
        raise StayworthError(
            translated(
                "{path}: {what!r}, {field}: {why}.",
                path=path,
                what=what,
                field=".".join(map(str, first["loc"])),
                why=why(first, kind.model_fields),
            )
        ) from None


def _place_of(pool: PoolCost, months: Periods) -> int | None:
    try:
        return months.number(pool.month)
    except WindowError as error:
        raise StayworthError(
            translated(
                "Pool {pool!r} of the costs: {why} Months of pools are those of --calendar, here {calendar}.",
                pool=pool.pool,
                why=str(error),
                calendar=months.calendar,
            )
        ) from None
