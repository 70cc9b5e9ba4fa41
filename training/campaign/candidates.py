"""Candidates of a campaign: customers who may be contacted, with the profit and cost of each offer to each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.language import translated, written
from features.suggestion import nearest
from training.offers.offer_profit import expected_cost, offer_profit
from training.offers.offers import Floats, Offer

NEEDED = ("customer_id", "snapshot_date", "churn_probability", "value_at_stake")
NUMBERS = (
    "churn_probability",
    "value_at_stake",
    "value_of_resumption",
    "expected_value",
    "expected_spend",
    "spend_per_purchase",
)

COSTS = ("cost_per_order", "cost_per_day", "bad_debt_rate", "inactivity_days")
"""Columns of a scored list that say what customers cost; its values are net of it."""


def scored_customers(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scored list by customer id, with numbers as numbers."""
    missing = [name for name in NEEDED if name not in scores.columns]
    if missing:
        names = list(map(str, scores.columns))
        near = nearest(missing[0], names)
        remedy = translated("Give the list that 'stayworth score' wrote, with --columns all.")
        if near:
            remedy = translated(
                "Rename {near!r}, or give the list that 'stayworth score' wrote, with --columns all.",
                near=near,
            )
        found = translated(
            "The scored list has no column {example!r}; it has {names}.", example=missing[0], names=names
        )
        raise StayworthError(f"{found} {remedy}")
    if scores.empty:
        raise StayworthError(translated("The scored list is empty: there is nobody to contact."))
    customers = scores.astype({"customer_id": str})
    if customers["customer_id"].is_monotonic_increasing:
        customers = customers.reset_index(drop=True)
    else:
        customers = customers.sort_values("customer_id", ignore_index=True)
    twice = customers.loc[customers["customer_id"].duplicated(), "customer_id"].unique()
    if len(twice):
        raise StayworthError(
            translated(
                "{value} in the scored list more than once, e.g. {names}. Leave one row of each, or give "
                "the list that 'stayworth score' wrote.",
                value=written(len(twice), "customer is|customers are"),
                names=", ".join(twice[:3]),
            )
        )
    for name in NUMBERS:
        column = customers.get(name, pd.Series(np.nan, index=customers.index))
        customers[name] = _read_numbers(column)
    _require_shares(customers["churn_probability"])
    for name in ("value_tier", "reasons", "model_version"):
        customers[name] = customers.get(name, "")
    customers["silent_days"] = silent_days(customers)
    return customers


def _require_shares(probability: pd.Series) -> None:
    odd = probability[(probability < 0) | (probability > 1)]
    if len(odd):
        raise StayworthError(
            translated(
                "Column {name!r} of the scored list holds {value} outside 0 to 1, such as {example:g}, "
                "which no probability is. If a spreadsheet has made them percentages, give the list that "
                "'stayworth score' wrote.",
                name=probability.name,
                value=written(len(odd), "cell|cells"),
                example=odd.iloc[0],
            )
        )


def _read_numbers(column: pd.Series) -> pd.Series:
    """Read a column of numbers; an empty cell is NaN."""
    if pd.api.types.is_float_dtype(column.dtype):
        return column.astype(float)
    read = pd.to_numeric(column, errors="coerce").astype(float)
    odd = column[read.isna() & column.notna() & ~column.astype(str).isin(["", "nan"])]
    if len(odd):
        raise StayworthError(
            translated(
                "Column {name!r} of the scored list holds {n:,} cells that are no numbers, such as "
                "{value!r}: a spreadsheet may have written them with a decimal comma. Write them as "
                "0.25, or give the list that 'stayworth score' wrote.",
                name=column.name,
                n=len(odd),
                value=str(odd.iloc[0]),
            )
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
            translated(
                "The scored list has {n} values of {name}, e.g. {example:.12g} and {example_2:.12g}. "
                "Give a list that one model scored.",
                n=len(values),
                name=name,
                example=values[0],
                example_2=values[1],
            )
        )
    if not len(values):
        if given is None:
            raise StayworthError(
                translated(
                    "The scored list does not state {name}: it has no such column, or an empty one. Score "
                    "again with 'stayworth score', or give {flag}, as the model was trained with.",
                    name=name,
                    flag=flag,
                )
            )
        return float(given)
    if given is not None and not math.isclose(given, values[0], rel_tol=1e-9):
        raise StayworthError(
            translated(
                "{flag} {given:.12g} contradicts the scored list, whose {name} is {example:.12g}. Leave "
                "the flag out.",
                flag=flag,
                given=given,
                name=name,
                example=values[0],
            )
        )
    return float(values[0])


def stated_margin(customers: pd.DataFrame, given: float | None) -> float:
    """Return the margin per unit of spend, as `stated_by_scores` does; it must be a share above 0.

    Examples
    --------
    >>> stated_margin(pd.DataFrame({"margin": [0.3]}), None)
    0.3
    """
    margin = stated_by_scores(customers, "margin", given)
    if not 0 < margin <= 1:
        raise StayworthError(
            translated(
                "The margin is {margin:g}; it must be above 0 and at most 1, per unit of spend. Write "
                "30% as 0.3, or give the list that 'stayworth score' wrote.",
                margin=margin,
            )
        )
    return margin


def stated_costs(customers: pd.DataFrame, given: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return what customers cost as the scores state it, by name of `COSTS`; empty where they do not.

    Parameters
    ----------
    customers : DataFrame, a scored list
    given : mapping of name to number, what the caller says

    Raises
    ------
    StayworthError
        If the two differ, or the list states several values.

    Examples
    --------
    >>> stated_costs(pd.DataFrame({"cost_per_order": [4.0, 4.0]}), {"cost_per_order": 4})
    {'cost_per_order': 4.0}
    """
    given = given or {}
    filled = [name for name in COSTS if name in customers and customers[name].notna().any()]
    stated = {name: stated_by_scores(customers, name, given.get(name)) for name in filled}
    for name in given.keys() - stated.keys():
        raise StayworthError(
            translated(
                "--{value} {example:.12g}: the scored list does not say that its values are net of "
                "costs. Score again with a version trained with them: stayworth train --costs costs.toml",
                value=name.replace("_", "-"),
                example=given[name],
            )
        )
    return stated


def silent_days(customers: pd.DataFrame) -> Floats:
    """Return the days since each customer's last purchase, at the snapshot; NaN where the list does not say.

    Examples
    --------
    >>> silent_days(pd.DataFrame({"snapshot_date": ["2024-02-01"], "last_purchase_date": ["2024-01-22"]}))
    array([10.])
    """
    if "last_purchase_date" not in customers:
        return np.full(len(customers), np.nan)
    snapshot, last = (
        pd.to_datetime(customers[name], errors="coerce", format="ISO8601")
        for name in ("snapshot_date", "last_purchase_date")
    )
    return np.asarray((snapshot - last) / pd.Timedelta(days=1), dtype=np.float64)


def dormancy(customers: pd.DataFrame, horizon_days: int) -> int:
    """Return the days of silence after which a customer is dormant: as the scores state, or else two horizons."""
    column = customers.get("dormant_after_days", pd.Series(dtype=float))
    stated = pd.to_numeric(column, errors="coerce").dropna().empty
    return 2 * horizon_days if stated else int(stated_by_scores(customers, "dormant_after_days", None))


def prices(customers: pd.DataFrame, offers: Sequence[Offer]) -> tuple[Floats, Floats]:
    """Return expected profit and cost of every customer × offer; the profit is -inf where an offer is not for them."""
    p, value = customers["churn_probability"].to_numpy(), customers["value_at_stake"].to_numpy()
    spend = customers["spend_per_purchase"].to_numpy()
    shared = [offer.name for offer in offers if offer.incentive_share is not None]
    if shared and np.isnan(spend).any():
        raise StayworthError(
            translated(
                "The incentive of {example!r} is a share of the spend per purchase, but the scored list "
                "has no spend_per_purchase for {value:customer|customers}. Score again, or use incentive_cost.",
                example=shared[0],
                value=int(np.isnan(spend).sum()),
            )
        )
    if shared and (negative := spend[spend < 0]).size:
        raise StayworthError(
            translated(
                "Column 'spend_per_purchase' of the scored list holds {value} below 0, such as "
                "{example:g}, of which {example_2!r} can give no share. Correct them, or give the list "
                "that 'stayworth score' wrote.",
                value=written(negative.size, "cell|cells"),
                example=negative[0],
                example_2=shared[0],
            )
        )
    profit, cost = (np.empty((len(customers), len(offers))) for _ in range(2))
    silent = customers["silent_days"] if "silent_days" in customers else silent_days(customers)
    for column, offer in enumerate(offers):
        for rows, same in offer.by_silence(silent):
            profit[rows, column] = offer_profit(p[rows], value[rows], same, spend[rows])
            cost[rows, column] = expected_cost(p[rows], same, spend[rows])
        profit[~offer.eligible(customers), column] = -np.inf
    return profit, cost


def profit_of_contacts(
    contacts: pd.DataFrame, offers: Sequence[Offer], *, value: Floats | None = None, odds: float = 1.0
) -> float:
    """Return the expected profit of making each customer the offer chosen for them, under other assumptions.

    Parameters
    ----------
    contacts : DataFrame of customers with ``number``, the place of their offer among the offers
    offers : sequence of Offer, perhaps changed since they were chosen
    value : ndarray of shape (n_contacts,), money, instead of their value at stake
    odds : float, factor of the odds of leaving
    """
    p = contacts["churn_probability"].to_numpy()
    value = contacts["value_at_stake"].to_numpy() if value is None else value
    p, spend = odds * p / (1 - p + odds * p), contacts["spend_per_purchase"].to_numpy()
    total = 0.0
    for number, offer in enumerate(offers):
        mine = contacts["number"].to_numpy() == number
        for rows, same in offer.by_silence(contacts["silent_days"]):
            rows = rows & mine
            total += float(offer_profit(p[rows], value[rows], same, spend[rows]).sum())
    return total
