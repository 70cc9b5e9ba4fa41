"""Money: the unit in which it is shown, and real money by a deflator.

``deflator.csv (month, index)`` has an index of prices for every month of the log. Money of a day becomes that of the
log's last month: ``amount · index[last month] / index[month]``. Real money is discounted by a real rate
(`features.economics.calculators.real_rate`), which may be negative.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.economics.periods import Calendar, Periods, plain_label
from features.errors import StayworthError
from features.jalali import FIRST_YEAR, LAST_YEAR
from features.language import translatable, translated
from features.log.prices import Prices
from features.log.settings import LogRules
from features.log.transactions import TransactionLog

_TOMAN = ("toman", "تومان")
_RIAL = ("IRR", "RIAL", "RIALS", "ریال")
_STEEPEST_FALL = 0.2
"""Share that no prices fall by in a month; rates of inflation do."""
_LOWEST_INDEX = 0.5
_FIRST_OF_MONTH = re.compile(r"^(\d{4}[-/]\d{2})[-/]01(?: 00:00(?::00)?)?$")


@dataclass(frozen=True)
class MoneyUnit:
    """What money is shown in.

    Attributes
    ----------
    name : str, empty where neither the log nor the caller names it
    per_unit : int, units of the log's currency that make one of this: 10 rials a toman
    """

    name: str = ""
    per_unit: int = 1

    @classmethod
    def of(cls, name: str | None, currency: str | None) -> Self:
        """Return the unit that a caller names, for a log in a currency.

        Raises
        ------
        StayworthError
            If tomans are asked for, and the log is in another currency than rials.

        Examples
        --------
        >>> MoneyUnit.of("toman", "IRR"), MoneyUnit.of(None, "EUR")
        (MoneyUnit(name='toman', per_unit=10), MoneyUnit(name='EUR', per_unit=1))
        """
        if name is None or name.strip().lower() not in _TOMAN:
            return cls(currency or "" if name is None else name.strip())
        if currency is not None and currency.upper() not in _RIAL:
            raise StayworthError(
                translated(
                    "--money-unit {name} is ten rials, but the log is in {currency}. Leave --money-unit out.",
                    name=name,
                    currency=currency,
                )
            )
        return cls(name.strip(), 10)

    def shown(self, cents: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return cents of the log's currency in this unit; NaN stays."""
        return np.asarray(cents, dtype=np.float64) / (100 * self.per_unit)


@dataclass(frozen=True)
class Deflator:
    """An index of prices by month.

    Attributes
    ----------
    months : Periods, the log's months
    index : ndarray of shape (n_months,)
    of : (str, float), optional
        Another month than the log's last whose money all is shown in, and its index.
    """

    months: Periods
    index: npt.NDArray[np.float64]
    of: tuple[str, float] | None = None

    @classmethod
    def read(
        cls,
        path: str | Path,
        first_day: date,
        last_day: date,
        rules: LogRules = PLAIN_RULES,
        base: str | None = None,
    ) -> Self:
        """Read the index of every month of a log; months before and after it are left out.

        Months are Jalali if the file's years are.

        Parameters
        ----------
        path : str or Path
        first_day, last_day : datetime.date, of the log
        rules : LogRules, how the file's numbers are written
        base : str, optional
            The month whose money all is to be, one of the file; by default the log's last.

        Raises
        ------
        StayworthError
            If a month of the log, or the base, is missing, one stands twice, an index is not positive, or they are
            rates of inflation and no index.
        """
        file = OptionalFile(path, ["month", "index"], rules)
        values = file.numbers("index")
        file.refuse(values <= 0, translatable("have an index that is not positive"), "index")
        labels = [_FIRST_OF_MONTH.sub(r"\1", label or "") for label in file.texts("month")]
        months = Periods(first_day, last_day, "month", _calendar_of(labels))
        index, others = np.full(len(months), np.nan), dict[str, float]()
        for label, value in zip(labels, values, strict=True):
            place = months.number(label)
            known = plain_label(label) if place is None else months.all[place].label
            if known in others:
                raise StayworthError(
                    translated(
                        "{name} has the month {label!r} twice. Keep one row.", name=file.name, label=label
                    )
                )
            others[known] = value
            if place is not None:
                index[place] = value
        missing = [period.label for period, value in zip(months, index, strict=True) if np.isnan(value)]
        missing += [base] if base and base not in others else []
        if missing:
            raise StayworthError(
                translated(
                    "{name} has no index for {n:,} of the log's {months:month|months}, such as {missing}. Add a row "
                    "for each.",
                    name=file.name,
                    n=len(missing),
                    months=len(months),
                    missing=missing[0],
                )
            )
        _require_an_index(index, file.name)
        return cls(months, index, (base, others[base]) if base else None)

    @property
    def prices(self) -> Prices:
        """What money of each month is worth in that of the base, to be kept."""
        return Prices(
            self.base,
            tuple(period.label for period in self.months),
            tuple(map(int, self.months.boundaries[:-1])),
            tuple(map(float, self.by_month)),
        )

    @property
    def base(self) -> str:
        """The month whose money all is shown in: by default the log's last."""
        return self.of[0] if self.of else self.months.all[-1].label

    @property
    def by_month(self) -> npt.NDArray[np.float64]:
        """What money of each month is multiplied with, of shape (n_months,)."""
        base: npt.NDArray[np.float64] = np.asarray(self.of[1] if self.of else self.index[-1])
        return base / self.index

    def factors(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what money of each day is multiplied with; days before and after the log take its ends' months."""
        return self.prices.of_days(days)


def _require_an_index(index: npt.NDArray[np.float64], name: str) -> None:
    """Refuse what falls as no prices do, or is as small as rates are throughout."""
    falls = 1 - index[1:] / index[:-1]
    steep = falls > _STEEPEST_FALL
    if not steep.any() and index.max() >= _LOWEST_INDEX:
        return
    place = int(falls.argmax()) if steep.any() else 0
    shown = index[place : place + 2]
    raise StayworthError(
        translated(
            "{name} holds {values}, from month to month: are these rates of inflation? An index goes on from the month "
            "before: 100, 102 and 104.04 for 2% a month. If they are an index, multiply all by one number, or join its "
            "parts where the base was changed.",
            name=name,
            values=", ".join(f"{value:g}" for value in shown),
        )
    )


def _calendar_of(labels: Sequence[str]) -> Calendar:
    """Return the calendar that most months are of, by their years."""
    years = [int(found.group()) for label in labels if (found := re.match(r"\d{4}", plain_label(label)))]
    of_jalali = sum(FIRST_YEAR <= year <= LAST_YEAR for year in years)
    return "jalali" if 2 * of_jalali > len(years) else "gregorian"


def in_real_money(
    log: TransactionLog, deflator: str | Path | None, rules: LogRules = PLAIN_RULES, base: str | None = None
) -> TransactionLog:
    """Return a log in the money of one month, by the file of a deflator; the log itself without one.

    Parameters
    ----------
    log : TransactionLog
    deflator : str, Path or None, a file as `Deflator.read` reads it
    rules, base : as there

    Raises
    ------
    StayworthError
        If the file cannot be used.
    """
    if deflator is None:
        return log
    return log.at_prices(Deflator.read(deflator, log.first_day, log.last_day, rules, base).prices)
