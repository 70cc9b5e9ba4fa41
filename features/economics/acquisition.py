"""What acquiring customers costs: ``spend.csv (channel, from, to, amount)`` beside the customers of each channel.

An amount is spread evenly over the days [from, to) of its row, in whole cents that add up to it. A customer belongs to
the channel that ``acquisition_channel`` of the customers' file names, else to that of the first order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.economics.periods import Periods
from features.economics.segments import EVERYONE, FIRST_VALUE, UNKNOWN
from features.language import translatable, translated
from features.log.findings import Finding
from features.log.grain_checks import SUM_WORDS
from features.log.settings import LogRules

_EPOCH = date(1970, 1, 1)
_CALLED_TOTAL = re.compile(rf"(?i)(?:.*[\s:,;_-])?(?:{SUM_WORDS}|all|overall|alle|کل|همه)\s*:?")

_BY_CHANNEL = """SELECT {channel} AS channel, customers.first_period AS period, count(*) AS acquired
FROM customers{join}
WHERE customers.first_day IS NOT NULL
GROUP BY 1, 2"""

_FIRST_MARGINS = """SELECT {channel} AS channel, customers.first_period AS period,
  CAST(sum({margin}) AS BIGINT) AS first_margin_cents
FROM purchase_days AS days
JOIN customers ON customers.customer = days.customer AND customers.first_day = days.day
JOIN calendar ON calendar.day = days.day{join}
GROUP BY 1, 2"""

CHANNEL_OF_CUSTOMER = "\nJOIN acquisition ON acquisition.customer = customers.customer"

_LISTED = """SELECT found.customer AS customer,
  coalesce(channel_list.segment, found.segment) AS channel
FROM ({first}) AS found
JOIN customers ON customers.customer = found.customer
LEFT JOIN channel_list ON channel_list.customer_id = customers.customer_id"""

_NO_CHANNEL = f"SELECT customer, '{UNKNOWN}' AS segment FROM customers"


@dataclass(frozen=True)
class Spend:
    """Money spent to acquire customers, by channel and span of days.

    Attributes
    ----------
    channels : tuple of str, of shape (n_rows,)
    starts, ends : ndarray of int, days since 1970-01-01, the end excluded
    cents : ndarray of int
    findings : tuple of Finding
    currency : str or None, where the file names it
    """

    channels: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    cents: npt.NDArray[np.int64]
    findings: tuple[Finding, ...] = field(default=())
    currency: str | None = None

    @classmethod
    def read(cls, path: str | Path, rules: LogRules = PLAIN_RULES) -> Self:
        """Read a file of spend; rows of one channel whose days overlap are all used, and reported.

        Raises
        ------
        StayworthError
            If the file cannot be read, an amount is negative, a row ends before it begins, or is the total of
            others, or its currencies are several.
        """
        file = OptionalFile(path, ["channel", "from", "to", "amount"], rules)
        channels = file.texts("channel")
        file.refuse(
            np.array([name is None for name in channels], dtype=bool),
            translatable("have no channel"),
            "channel",
        )
        currency = file.currency("amount")
        starts, ends = file.days("from"), file.days("to")
        file.refuse(
            ends <= starts,
            translatable("end before they begin"),
            "from",
            "to",
            remedy=translatable(
                "'to' is the first day after: for the whole of March from 2011-03-01 to 2011-04-01"
            ),
        )
        names = tuple(str(name) for name in channels)
        amounts = file.cents("amount")
        file.refuse(
            _totals(names, starts, ends, amounts),
            translatable("are the sum of others, which count twice"),
            "channel",
            "amount",
            remedy=translatable("Leave the rows of totals out"),
        )
        overlap = _overlapping(names, starts, ends)
        findings = [_booked_twice(file, overlap)] if overlap.any() else []
        return cls(names, starts, ends, amounts, (*findings, *file.findings), currency)

    def by_period(self, periods: Periods, factors: npt.NDArray[np.float64] | None = None) -> pd.DataFrame:
        """Spread the spend over the days, and add it up by channel and period.

        Parameters
        ----------
        periods : Periods
        factors : ndarray of shape (n_days,), optional
            What money of each of ``periods.days`` is multiplied with.

        Returns
        -------
        DataFrame of shape (n_channels, n_periods), cents, by channel; with ``outside``, what lies on no day of the log

        Examples
        --------
        >>> day = (date(1998, 1, 31) - _EPOCH).days
        >>> spend = Spend(("mail",), np.array([day]), np.array([day + 3]), np.array([100]))
        >>> spend.by_period(Periods(date(1998, 1, 5), date(1998, 2, 28), "month")).to_dict("list")
        {0: [33], 1: [67], 'outside': [0]}
        """
        names = sorted(set(self.channels))
        table = np.zeros((len(names), len(periods)), dtype=np.int64)
        outside = np.zeros(len(names), dtype=np.int64)
        first, last = int(periods.days[0]), int(periods.boundaries[-1])
        for channel, start, end, cents in zip(self.channels, self.starts, self.ends, self.cents, strict=True):
            row, days = names.index(channel), np.arange(start, end + 1)
            until = (int(cents) * (days - start).astype(object)) // int(
                end - start
            )  # exact: whole numbers of any size
            daily = np.diff(until).astype(np.int64)
            inside = (days[:-1] >= first) & (days[:-1] < last)
            outside[row] += daily[~inside].sum()
            place = days[:-1][inside] - first
            real = (
                daily[inside] if factors is None else np.rint(daily[inside] * factors[place]).astype(np.int64)
            )
            np.add.at(table[row], periods.number_of_day[place], real)
        found = pd.DataFrame(table, index=pd.Index(names, name="channel"))
        found["outside"] = outside
        return found


def _totals(
    channels: tuple[str, ...],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    cents: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Find rows that a word calls a total, and that are the sum of the others of their days."""
    named = np.array([_CALLED_TOTAL.fullmatch(name.strip()) is not None for name in channels], dtype=bool)
    found = np.zeros(len(channels), dtype=bool)
    for row in np.flatnonzero(named):
        others = ~named & (starts >= starts[row]) & (ends <= ends[row])
        found[row] = others.any() and abs(int(cents[others].sum()) - int(cents[row])) <= 1
    return found


def _booked_twice(file: OptionalFile, overlap: npt.NDArray[np.bool_]) -> Finding:
    return Finding(
        "overlapping-spend",
        translated(
            "{file}: {n:row overlaps|rows overlap} another of their channel, and all are added up: "
            "{rows}. Is something booked twice? 'to' is the first day after a row.",
            file=file.name,
            n=int(overlap.sum()),
            rows=file.described(overlap, "channel", "from", "to", "amount"),
        ),
    )


def _overlapping(
    channels: tuple[str, ...], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    rows = pd.DataFrame({"channel": channels, "start": starts, "end": ends}).sort_values(
        ["channel", "start", "end"]
    )
    furthest = rows.groupby("channel")["end"].cummax().groupby(rows["channel"]).shift()
    found: npt.NDArray[np.bool_] = (rows["start"] < furthest).reindex(range(len(rows))).to_numpy(dtype=bool)
    return found


def acquisition(
    facts: Facts,
    spend: Spend | None,
    unit: MoneyUnit,
    channel_of: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """Return what each channel cost and brought in each period.

    Parameters
    ----------
    facts : Facts
    spend : Spend or None, without which its columns are empty
    unit : MoneyUnit
    channel_of : mapping of customer ids to their acquisition channel, optional

    Returns
    -------
    DataFrame, a row for each channel and period with customers or spend, and for `EVERYONE` in every period
        channel, period (number), acquired, spend, cac and first_purchase_margin per acquired customer in money.
        Where nobody was acquired ``cac`` is empty and the spend is shown.
    """
    found = pd.concat(
        [_acquired(facts, "'" + EVERYONE + "'", ""), _by_channel(facts, channel_of)], ignore_index=True
    )
    if spend is not None:
        factors = facts.deflator.factors(facts.periods.days) if facts.deflator else None
        cents = spend.by_period(facts.periods, factors).drop(columns="outside")
        cents.loc[EVERYONE] = cents.sum()
        long = cents.melt(ignore_index=False, var_name="period", value_name="spend_cents").reset_index()
        found = found.merge(
            long[long["spend_cents"] > 0].astype({"period": int}), "outer", on=["channel", "period"]
        )
        found["spend_cents"] = found["spend_cents"].fillna(0)
    else:
        found["spend_cents"] = np.nan
    acquired = found["acquired"].fillna(0)
    divisor = acquired.where(acquired > 0)
    everyone = found["channel"] != EVERYONE
    table = pd.DataFrame(
        {
            "channel": found["channel"],
            "period": found["period"].astype(int),
            "acquired": acquired.astype(np.int64),
            "spend": unit.shown(found["spend_cents"]),
            "cac": unit.shown(found["spend_cents"] / divisor),
            "first_purchase_margin": unit.shown(found["first_margin_cents"].astype(float) / divisor),
        }
    )
    return (
        table.assign(channels=everyone)
        .sort_values(["channels", "channel", "period"])
        .drop(columns="channels")
        .reset_index(drop=True)
    )


def create_channels(facts: Facts, channel_of: Mapping[str, str | None] | None) -> bool:
    """Create the table ``acquisition (customer, channel)``, if the channels of customers are known."""
    if "channel" not in facts.columns and not channel_of:
        return False
    first = FIRST_VALUE.format(column="channel") if "channel" in facts.columns else _NO_CHANNEL
    listed = dict(channel_of or {})
    types = pa.schema([("customer_id", pa.string()), ("segment", pa.string())])
    rows = pa.table({"customer_id": list(listed), "segment": list(listed.values())}, schema=types)
    facts.engine.register("channel_list", rows)
    facts.engine.create("acquisition", _LISTED.format(first=first))
    return True


def _by_channel(facts: Facts, channel_of: Mapping[str, str | None] | None) -> pd.DataFrame:
    if not create_channels(facts, channel_of):
        return pd.DataFrame()
    return _acquired(facts, "acquisition.channel", CHANNEL_OF_CUSTOMER)


def _acquired(facts: Facts, channel: str, join: str) -> pd.DataFrame:
    found = facts.query(_BY_CHANNEL.format(channel=channel, join=join))
    if not facts.has_margins:
        return found.assign(first_margin_cents=np.nan)
    margins = facts.query(_FIRST_MARGINS.format(channel=channel, join=join, margin=facts.margin_sql))
    return found.merge(margins, "left", on=["channel", "period"])
