"""Candidates of a campaign: customers who may be contacted, with the profit and cost of each offer to each."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.errors import StayworthError
from training.campaign.settings import PlanTerms
from training.offers.offer_profit import expected_cost, offer_profit
from training.offers.offers import Floats, Offer

NEEDED = ("customer_id", "snapshot_date", "churn_probability", "value_at_stake")
NUMBERS = ("churn_probability", "value_at_stake", "expected_value", "expected_spend", "spend_per_purchase")


def scored_customers(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scored list by customer id, with numbers as numbers."""
    missing = [name for name in NEEDED if name not in scores.columns]
    if missing:
        raise StayworthError(
            f"The scored list has no column {missing[0]!r}; it has {', '.join(map(str, scores.columns))}. "
            "Give the list that 'stayworth score' wrote."
        )
    if scores.empty:
        raise StayworthError("The scored list is empty: there is nobody to contact.")
    customers = scores.astype({"customer_id": str}).sort_values("customer_id", ignore_index=True)
    twice = customers.loc[customers["customer_id"].duplicated(), "customer_id"].unique()
    if len(twice):
        raise StayworthError(
            f"{len(twice):,} customers are in the scored list more than once, e.g. {', '.join(twice[:3])}."
        )
    for name in NUMBERS:
        column = customers.get(name, pd.Series(np.nan, index=customers.index))
        customers[name] = _read_numbers(column)
    for name in ("value_tier", "reasons", "model_version"):
        customers[name] = customers.get(name, "")
    return customers


def _read_numbers(column: pd.Series) -> pd.Series:
    """Read a column of numbers; an empty cell is NaN."""
    read = pd.to_numeric(column, errors="coerce").astype(float)
    odd = column[read.isna() & column.notna() & ~column.astype(str).isin(["", "nan"])]
    if len(odd):
        raise StayworthError(
            f"Column {column.name!r} of the scored list holds {len(odd):,} cells that are no numbers, such as "
            f"{str(odd.iloc[0])!r}: a spreadsheet may have written them with a decimal comma. Write them as 0.25, or "
            "give the list that 'stayworth score' wrote."
        )
    return read


def stated_by_scores(customers: pd.DataFrame, name: str, given: float | None) -> float:
    """Return what the scores state for all customers alike, such as ``horizon_days`` or ``margin``.

    Parameters
    ----------
    customers : DataFrame, a scored list
    name : str, the column
    given : float or None, what the caller says; needed only where the list does not state it

    Raises
    ------
    StayworthError
        If the two differ, the list states several values, or neither says anything.

    Examples
    --------
    >>> stated_by_scores(pd.DataFrame({"horizon_days": [60, 60]}), "horizon_days", None)
    60.0
    """
    flag = f"--{name.replace('_', '-')}"
    column = customers.get(name, pd.Series(dtype=float))
    values = pd.to_numeric(column, errors="coerce").dropna().astype(float).unique()
    if len(values) > 1:
        raise StayworthError(
            f"The scored list has {len(values)} values of {name}, e.g. {values[0]:.12g} and {values[1]:.12g}. "
            "Give a list that one model scored."
        )
    if not len(values):
        if given is None:
            raise StayworthError(
                f"The scored list does not state {name}: it has no such column, or an empty one. Score again with "
                f"'stayworth score', or give {flag}, as the model was trained with."
            )
        return float(given)
    if given is not None and not math.isclose(given, values[0], rel_tol=1e-9):
        raise StayworthError(
            f"{flag} {given:.12g} contradicts the scored list, whose {name} is {values[0]:.12g}. Leave the flag out."
        )
    return float(values[0])


def exclusions(
    customers: pd.DataFrame,
    suppress: Collection[str],
    contacts: pd.DataFrame | None,
    terms: PlanTerms,
    starts_on: date,
) -> pd.Series:
    """Return the reason why a customer must not be contacted; empty for those who may be."""
    ids = customers["customer_id"]
    reason = pd.Series("", index=customers.index)
    unknown = customers[["churn_probability", "value_at_stake"]].isna().any(axis=1)
    reason[unknown] = "no score"
    if terms.cooldown_days is not None:
        if contacts is None:
            raise StayworthError("--cooldown-days needs the past contacts: give --contacts past.csv.")
        since = starts_on - timedelta(days=terms.cooldown_days)
        days = pd.to_datetime(contacts["contacted_on"], errors="coerce").dt.date
        if days.isna().any():
            raise StayworthError(
                f"{int(days.isna().sum())} dates in contacted_on can't be read. Write them as YYYY-MM-DD."
            )
        recent = set(contacts.loc[days > since, "customer_id"].astype(str))
        reason[ids.isin(recent)] = f"contacted within the last {terms.cooldown_days} days"
    reason[ids.isin(set(map(str, suppress)))] = "asked not to be contacted"
    return reason


def prices(customers: pd.DataFrame, offers: Sequence[Offer]) -> tuple[Floats, Floats]:
    """Return expected profit and cost of every customer × offer."""
    p, value = customers["churn_probability"].to_numpy(), customers["value_at_stake"].to_numpy()
    spend = customers["spend_per_purchase"].to_numpy()
    shared = [offer.name for offer in offers if offer.incentive_share is not None]
    if shared and np.isnan(spend).any():
        raise StayworthError(
            f"The incentive of {shared[0]!r} is a share of the spend per purchase, but the scored list has no "
            f"spend_per_purchase for {int(np.isnan(spend).sum()):,} customers. Score again, or use incentive_cost."
        )
    shape = (len(customers), 1)
    profit = [np.broadcast_to(offer_profit(p, value, o, spend).reshape(-1, 1), shape) for o in offers]
    cost = [np.broadcast_to(expected_cost(p, o, spend).reshape(-1, 1), shape) for o in offers]
    return np.hstack(profit), np.hstack(cost)
