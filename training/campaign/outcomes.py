"""Outcomes of a campaign's customers, from a log of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import WindowError
from features.language import translated
from features.log.transactions import TransactionLog
from training.campaign.assignment import Assignment
from training.campaign.coverage import require_from_the_start
from training.offers.offers import Floats

HISTORY_DAYS = 365
LONGEST_DAYS = 365
"""A campaign is followed for a year: the value that it promised is that of a year."""


def campaign_period(assignment: Assignment, log: TransactionLog, until: date | None) -> tuple[date, date]:
    """Return the days ``[start, end)`` that count: the churn window as far as the log goes, or until a later day.

    They are at most `LONGEST_DAYS`.

    Raises
    ------
    WindowError
        If the log ends before the campaign starts, or before ``until``; or begins long after the start.
    """
    start, log_end = assignment.record.starts_on, log.last_day + timedelta(days=1)
    if log_end <= start:
        raise WindowError(
            translated(
                "The campaign starts {start} but the log ends {last_day}. Give a log with the orders since.",
                start=start,
                last_day=log.last_day,
            )
        )
    require_from_the_start(log, start)
    end = until or min(start + timedelta(days=assignment.record.horizon_days), log_end)
    if not start < end <= log_end:
        raise WindowError(
            translated(
                "--until {end} is not after the campaign's start, {start}, and by the log's end. Use "
                "--until {log_end} or earlier.",
                end=end,
                start=start,
                log_end=log_end,
            )
        )
    return start, min(end, start + timedelta(days=LONGEST_DAYS))


def campaign_outcomes(
    assignment: Assignment,
    log: TransactionLog,
    start: date,
    end: date,
    redeemed: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return each customer's purchases, margin and delay in ``[start, end)``, in the assignment's order.

    Where the plan's values are net of what customers cost, so is the margin: what was promised is what is measured. The
    campaign's own costs are not in it.

    Returns
    -------
    DataFrame
        bought (bool), orders (purchase days), margin (money, net of refunds), delay_days (to the first purchase
        day, the period's length if there was none), spend_before (money, in the year before), redeemed (bool,
        if given).
    """
    ids = log.customer_ids
    theirs = pc.is_in(ids.dictionary, value_set=pa.array(assignment.customers["customer_id"], pa.string()))
    rows = log.table.filter(theirs.take(ids.indices)).to_pandas().astype({"customer_id": object})
    rows["ordered_on"] = pd.to_datetime(rows["ordered_on"])
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    inside = rows[(rows["ordered_on"] >= first) & (rows["ordered_on"] < last)]
    before = rows[
        (rows["ordered_on"] < first) & (rows["ordered_on"] >= first - pd.Timedelta(days=HISTORY_DAYS))
    ]
    cents = (
        inside["margin_cents"]
        if "margin_cents" in inside
        else inside["amount_cents"] * assignment.record.margin
    )
    days = inside[inside["amount_cents"] >= 0].groupby("customer_id")["ordered_on"].agg(["nunique", "min"])

    ids = assignment.customers["customer_id"]
    length = (end - start).days
    delay = (ids.map(days["min"]) - first).dt.days if len(days) else pd.Series(np.nan, index=ids.index)
    outcomes = pd.DataFrame(
        {
            "bought": ids.isin(days.index),
            "orders": ids.map(days["nunique"]).fillna(0).astype(float),
            "margin": ids.map(cents.groupby(inside["customer_id"]).sum()).fillna(0).astype(float) / 100,
            "delay_days": delay.fillna(length).astype(float),
            "spend_before": ids.map(before.groupby("customer_id")["amount_cents"].sum()).fillna(0) / 100,
        }
    )
    if costs := assignment.record.costs:
        spend = ids.map(inside.groupby("customer_id")["amount_cents"].sum()).fillna(0) / 100
        active = _active_days(assignment, rows, first, last)
        outcomes["margin"] -= costs.get("bad_debt_rate", 0) * spend
        outcomes["margin"] -= costs.get("cost_per_order", 0) * outcomes["orders"]
        outcomes["margin"] -= costs.get("cost_per_day", 0) * ids.map(active).fillna(0)
    if redeemed is not None:
        outcomes["redeemed"] = ids.isin(set(map(str, redeemed)))
    return outcomes


def _active_days(
    assignment: Assignment, rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> pd.Series:
    """Return the days of ``[first, last)`` on which each customer was active, by customer id."""
    bought = rows.loc[rows["amount_cents"] >= 0, ["customer_id", "ordered_on"]]
    if (
        "silent_days" in assignment.customers
    ):  # a log may begin with the campaign: the plan knows the last purchase
        before = pd.to_timedelta(assignment.customers["silent_days"], unit="D")
        known = pd.Timestamp(assignment.record.snapshot_date) - before
        planned = assignment.customers[["customer_id"]].assign(ordered_on=known)
        bought = pd.concat([bought.astype({"customer_id": str}), planned.dropna()])
    bought = bought[bought["ordered_on"] < last].drop_duplicates().sort_values(["customer_id", "ordered_on"])
    window = pd.Timedelta(days=assignment.record.costs.get("inactivity_days", 0))
    following = bought.groupby("customer_id")["ordered_on"].shift(-1).fillna(last)
    until = np.minimum(np.minimum(following, bought["ordered_on"] + window), last)
    days = (until - bought["ordered_on"].clip(lower=first)).dt.days.clip(lower=0)
    return days.groupby(bought["customer_id"]).sum()


def covariates(customers: pd.DataFrame, outcomes: pd.DataFrame) -> Floats:
    """Return what was known before the start, of shape (n_customers, n_covariates): spending, risk and value.

    Spend expected in the churn window, in money, is what a margin is compared with: an outcome in money needs a
    covariate in money. The others are on a scale on which a few great customers do not decide the slope.
    """
    known = {
        "expected_spend": customers["expected_spend"],
        "spend": np.log1p(outcomes["spend_before"].clip(lower=0)),
        "risk": customers["churn_probability"],
        "value": np.log1p(customers["expected_value"].clip(lower=0)),
        "stake": np.log1p(customers["value_at_stake"].clip(lower=0)),
    }
    return np.column_stack([column for column in known.values() if column.notna().all()]).astype(np.float64)
