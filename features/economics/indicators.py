"""The indicators of each segment and period, and what they say: targets met or missed, churn that leads revenue."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from features.economics.base import customer_base, rates
from features.economics.catalogue import BASE_COLUMNS, SALES_COLUMNS
from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.sales import sales
from features.economics.segments import EVERYONE
from features.language import translated

POOLED_PERIODS = 4
STANDARD_ERRORS = 2.0


def indicators(facts: Facts, unit: MoneyUnit) -> pd.DataFrame:
    """Return every indicator of each segment and period.

    Returns
    -------
    DataFrame of shape (n_segments · n_periods, 6 + n_indicators)
        segment, period, from, to, provisional, then the columns of the customer base and of sales.
    """
    base = customer_base(facts)
    found = pd.concat([base, rates(base), sales(facts, base, unit)], axis="columns")
    found["total_base"] = base["total_base_at_start"] + base["acquired"]
    found["first_to_repeat_provisional"] = np.tile(
        facts.periods.waiting(facts.inactivity_days), len(facts.groups)
    )
    return with_periods(found.reset_index(), facts).assign(provisional=facts.provisional(dated=True))[
        ["segment", "period", "from", "to", "provisional", *BASE_COLUMNS, *SALES_COLUMNS]
    ]


def with_periods(table: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Put labels and days of periods in place of their numbers."""
    periods = facts.periods.all
    numbers = table["period"].astype(int)
    return table.assign(
        **{
            "period": [periods[number].label for number in numbers],
            "from": [periods[number].start for number in numbers],
            "to": [periods[number].end for number in numbers],
        }
    )


def churn_lead(table: pd.DataFrame) -> pd.DataFrame:
    """Compare each segment's last closed churn rate with that of the four closed periods before, pooled.

    Fewer customers stay before fewer buy: churn that rises beyond what chance explains comes before revenue falls.
    The standard error is that of the pooled rate p among the customers at the start, ``sqrt(p · (1 - p) / start)``.

    Parameters
    ----------
    table : DataFrame, as `indicators` returns it

    Returns
    -------
    DataFrame, a row for each segment with five closed periods in which somebody was active at the start
        segment, period, start, churn_rate, pooled_churn_rate, standard_error, alert
    """
    rows = []
    for segment, own in table.groupby("segment", sort=False):
        closed = own[~own["provisional"] & (own["start"] > 0)].tail(POOLED_PERIODS + 1)
        if len(closed) <= POOLED_PERIODS:
            continue
        before, last = closed.iloc[:-1], closed.iloc[-1]
        pooled = before["lost"].sum() / before["start"].sum()
        error = math.sqrt(pooled * (1 - pooled) / last["start"])
        alert = bool(last["churn_rate"] - pooled > STANDARD_ERRORS * error)
        rows.append([segment, last["period"], last["start"], last["churn_rate"], pooled, error, alert])
    names = ["segment", "period", "start", "churn_rate", "pooled_churn_rate", "standard_error", "alert"]
    return pd.DataFrame(rows, columns=names)


def lead_sentences(lead: pd.DataFrame) -> list[str]:
    """Say where churn has risen beyond chance: of all customers in numbers, and in which segments."""
    alerts = lead[lead["alert"].astype(bool)]
    said = []
    for _, row in alerts[alerts["segment"] == EVERYONE].iterrows():
        said.append(
            translated(
                "Alert: churn in {period:label} was {churn:.1%}, and {pooled:.1%} in the {n:closed period|closed "
                "periods} before: more than {errors:.0f} standard errors ({error:.1%}). Churn leads revenue.",
                period=row["period"],
                churn=row["churn_rate"],
                pooled=row["pooled_churn_rate"],
                n=POOLED_PERIODS,
                errors=STANDARD_ERRORS,
                error=row["standard_error"],
            )
        )
    segments = [str(name) for name in alerts["segment"] if name != EVERYONE]
    if segments:
        others = int((lead["segment"] != EVERYONE).sum())
        said.append(
            translated(
                "Alert: churn rose beyond chance in {n:,} of {others:segment|segments}: {names} (churn_lead.csv).",
                n=len(segments),
                others=others,
                names=segments,
            )
        )
    return said
