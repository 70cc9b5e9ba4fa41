"""Effect of a campaign: contacted against held-out customers, in retention, orders, days and money.

Customers are compared as drawn (intention to treat). The plan named one primary measure beforehand; the others
explain it. Measured money is that of the period. The later value of a kept customer is the plan's estimate, value
at stake; it is reported beside the measured money and not added to it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from features.log.transactions import TransactionLog
from training.campaign.acceptance import AcceptanceUpdate, acceptance_prior, update_acceptance
from training.campaign.acceptance_by_silence import learn_by_silence
from training.campaign.assignment import Assignment
from training.campaign.effect import Effect, effect, times_the_customers
from training.campaign.outcomes import campaign_outcomes, campaign_period
from training.campaign.settings import Measure, MeasureTerms
from training.offers.offers import Floats, Offer

MEASURES = {
    "retention": "share who bought",
    "orders": "orders per customer",
    "margin": "margin per customer",
    "profit": "profit per customer",
    "future_profit": "profit per customer, at the plan's value of those kept",
    "delay_days": "days to the next order",
}
_FEWEST_PER_GROUP = 10


@dataclass(frozen=True)
class Measurement:
    """Findings of a campaign.

    Parameters
    ----------
    effects : dict of (group, measure) to Effect; group "all", "offer …" or "tier …"
    cost : float, money, what the contacts cost
    updates : dict of offer name to AcceptanceUpdate
    offers : tuple of Offer, with what the campaign taught
    notes : tuple of str, warnings first to last
    """

    assignment: Assignment
    start: date
    end: date
    effects: dict[tuple[str, str], Effect]
    cost: float
    updates: dict[str, AcceptanceUpdate]
    offers: tuple[Offer, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def primary_measure(self) -> Measure:
        """The measure that the plan named beforehand."""
        return self.assignment.record.experiment.primary_measure

    @property
    def primary(self) -> Effect:
        """The effect that the campaign is judged by."""
        return self.effects["all", self.primary_measure]

    @property
    def incremental_profit(self) -> Effect:
        """Profit of all contacts in the period, money."""
        found = self.effects["all", "profit"]
        return found.scaled(found.n_contacted)

    @property
    def return_on_cost(self) -> Effect | None:
        """Profit per unit of cost; None where the contacts cost nothing."""
        return self.incremental_profit.scaled(1 / self.cost) if self.cost > 0 else None

    def table(self) -> pd.DataFrame:
        """Return every effect as a row: group, measure, contacted, holdout, difference, low, high, sizes."""
        rows = [
            {
                "group": group,
                "measure": measure,
                "contacted": found.contacted,
                "holdout": found.holdout,
                "difference": found.difference,
                "low": found.low,
                "high": found.high,
                "n_contacted": found.n_contacted,
                "n_holdout": found.n_holdout,
            }
            for (group, measure), found in self.effects.items()
        ]
        return pd.DataFrame(rows)

    def verdict(self) -> str:
        """Say in a sentence what the primary measure shows, or what it would take."""
        found, name = self.primary, MEASURES[self.primary_measure]
        shown = _interval(found, self.primary_measure)
        if found.conclusive:
            direction = "raised" if found.difference > 0 else "lowered"
            return f"The campaign {direction} the {name} by {shown}.".replace("by +", "by ").replace(
                "by -", "by "
            )
        said = f"The data can't tell yet: the {name} differs by {shown}."
        times, customers = times_the_customers(found), found.n_contacted + found.n_holdout
        if math.isfinite(times) and times < 1000:
            return f"{said} If that is the true size, about {math.ceil(times * customers):,} customers would show it."
        return f"{said} There is no difference in sight that more customers would show."


def _interval(found: Effect, measure: str) -> str:
    level = f"{found.confidence:.0%}"
    if measure == "retention":
        d, low, high = (100 * v for v in (found.difference, found.low, found.high))
        return f"{d:+.1f} points ({level}: {low:+.1f} to {high:+.1f})"
    return f"{found.difference:+,.2f} ({level}: {found.low:+,.2f} to {found.high:+,.2f})"


def measure(
    assignment: Assignment,
    log: TransactionLog,
    terms: MeasureTerms | None = None,
    *,
    redeemed: Collection[str] | None = None,
) -> Measurement:
    """Compare contacted and holdout in a log of the orders since the campaign began.

    Parameters
    ----------
    assignment : Assignment, from :func:`training.campaign.assignment.read_assignment`
    log : TransactionLog, with the orders of the campaign's period; earlier ones make the intervals narrower
    terms : MeasureTerms
    redeemed : ids of customers who took the incentive, or None where that is not known

    Returns
    -------
    Measurement

    Raises
    ------
    StayworthError
        If the log does not reach into the campaign, or a group has fewer than two customers.
    """
    terms = terms or MeasureTerms()
    start, end = campaign_period(assignment, log, terms.until)
    outcomes = campaign_outcomes(assignment, log, start, end, redeemed)
    customers, notes = assignment.customers, list(assignment.notes)
    days = (end - start).days
    horizon_days = assignment.record.horizon_days
    complete = days >= horizon_days
    if not complete:
        notes.append(
            f"Only {days} of {horizon_days} days have passed. Offers often bring purchases forward, so "
            "early differences shrink; acceptance rates are left as they were. Measure again when it is over."
        )
    contacted = customers["contacted"].to_numpy()
    rates = {name: _redemption(offer, customers, outcomes) for name, offer in assignment.offers.items()}
    cost = _costs(assignment.offers, rates, customers, outcomes)
    if redeemed is None and any(_paid_apart(offer) for offer in assignment.offers.values()):
        notes.append("Incentive costs are assumed, not measured: give --redeemed to know who took them.")
    values = {
        "retention": outcomes["bought"].to_numpy(dtype=np.float64),
        "orders": outcomes["orders"].to_numpy(),
        "margin": outcomes["margin"].to_numpy(),
        "profit": outcomes["margin"].to_numpy() - cost,
        "future_profit": (outcomes["bought"] * customers["value_at_stake"]).to_numpy() - cost,
        "delay_days": outcomes["delay_days"].to_numpy(),
    }
    effects = _effects(values, customers, outcomes, terms.confidence)
    updates = _updates(assignment, outcomes, notes) if complete else {}
    return Measurement(
        assignment=assignment,
        start=start,
        end=end,
        effects=effects,
        cost=float(cost[contacted].sum()),
        updates=updates,
        offers=tuple(_learned(offer, updates, rates, redeemed) for offer in assignment.offers.values()),
        notes=tuple(notes),
    )


def _effects(
    values: dict[str, Floats], customers: pd.DataFrame, outcomes: pd.DataFrame, confidence: float
) -> dict[tuple[str, str], Effect]:
    """Estimate every measure for everybody, by offer and by value tier."""
    covariates = _covariates(customers, outcomes)
    contacted, stratum = customers["contacted"].to_numpy(), customers["stratum"].to_numpy()
    groups = {"all": np.ones(len(customers), dtype=bool)}
    for column, word in (("offer", "offer"), ("value_tier", "tier")):
        for name in customers[column].unique():
            if name:
                groups[f"{word} {name}"] = (customers[column] == name).to_numpy()
    found = {}
    for group, rows in groups.items():
        smallest = min(int((rows & contacted).sum()), int((rows & ~contacted).sum()))
        if group != "all" and smallest < _FEWEST_PER_GROUP:
            continue
        for name, value in values.items():
            found[group, name] = effect(
                value[rows], contacted[rows], stratum[rows], covariates[rows], confidence=confidence
            )
    return found


def _covariates(customers: pd.DataFrame, outcomes: pd.DataFrame) -> Floats:
    """Return what was known before the start: spending of the year before, risk and value."""
    known = {
        "spend": np.log1p(outcomes["spend_before"].clip(lower=0)),
        "risk": customers["churn_probability"],
        "value": np.log1p(customers["expected_value"].clip(lower=0)),
        "stake": np.log1p(customers["value_at_stake"].clip(lower=0)),
    }
    return np.column_stack([column for column in known.values() if column.notna().all()]).astype(np.float64)


def _paid_apart(offer: Offer) -> bool:
    """Tell whether the incentive is a cost that the log's amounts do not hold already."""
    return offer.has_incentive and not offer.incentive_in_amounts


def _redemption(offer: Offer, customers: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[float, float]:
    """Return ψ, and the share of contacted buyers who took the incentive, measured or assumed.

    Of the contacted, ``q₀ψ`` would have bought anyway and take it, and ``q₁ − q₀`` buy because of it.
    """
    mine = (customers["offer"] == offer.name).to_numpy()
    contacted = customers["contacted"].to_numpy()
    bought = outcomes["bought"].to_numpy()
    if not (mine & contacted).any() or not (mine & ~contacted).any():
        return offer.redemption_rate, offer.redemption_rate
    q1, q0 = float(bought[mine & contacted].mean()), float(bought[mine & ~contacted].mean())
    saved = max(q1 - q0, 0.0)
    psi = offer.redemption_rate
    if "redeemed" in outcomes and q0 > 0:
        taken = float(outcomes["redeemed"].to_numpy()[mine & contacted].mean())
        psi = min(max((taken - saved) / q0, 0.0), 1.0)
    return psi, min((psi * q0 + saved) / q1, 1.0) if q1 > 0 else psi


def _costs(
    offers: dict[str, Offer],
    rates: dict[str, tuple[float, float]],
    customers: pd.DataFrame,
    outcomes: pd.DataFrame,
) -> Floats:
    """Return what each customer's contact cost; nothing for the held out."""
    contacted = customers["contacted"].to_numpy()
    cost = np.zeros(len(customers))
    for name, offer in offers.items():
        mine = contacted & (customers["offer"] == name).to_numpy()
        cost[mine] = offer.contact_cost
        if _paid_apart(offer):
            taken = outcomes["redeemed"] if "redeemed" in outcomes else rates[name][1] * outcomes["bought"]
            cost[mine] += (customers["incentive_cost"] * taken).to_numpy(dtype=np.float64)[mine]
    return cost


def _updates(assignment: Assignment, outcomes: pd.DataFrame, notes: list[str]) -> dict[str, AcceptanceUpdate]:
    """Learn each offer's acceptance; say where a campaign was too small to."""
    customers, updates = assignment.customers, {}
    for name, offer in assignment.offers.items():
        part = customers[customers["offer"] == name]
        sizes = part["contacted"].value_counts().reindex([True, False], fill_value=0)
        if sizes.min() < 2:
            if sizes.sum():
                notes.append(f"{name}: {sizes[False]} held out is too few to learn its acceptance from.")
            continue
        bought = outcomes.loc[part.index, "bought"]
        update = update_acceptance(acceptance_prior(offer), bought, part["contacted"], part["stratum"])
        if {"silent_days", "purpose"} <= set(part):
            dormant_after_days = assignment.record.dormant_after_days or 2 * assignment.record.horizon_days
            drawn = (part["contacted"], part["silent_days"], part["purpose"])
            update = replace(
                update, bands=learn_by_silence(offer, bought, *drawn, dormant_after_days=dormant_after_days)
            )
        updates[name] = update
        if update.warning:
            notes.append(f"{name}: {update.warning}")
    return updates


def _learned(
    offer: Offer,
    updates: dict[str, AcceptanceUpdate],
    rates: dict[str, tuple[float, float]],
    redeemed: Collection[str] | None,
) -> Offer:
    """Return the offer with what the campaign taught; unchanged where it taught nothing."""
    if offer.name not in updates:
        return offer
    update, learned = updates[offer.name], dict[str, object]()
    if update.bands:
        before = offer.acceptance_before or acceptance_prior(offer)
        learned |= {"acceptance_by_silence": update.bands, "acceptance_before": before}
    if not update.warning:
        learned["acceptance_rate"] = update.posterior
        if redeemed is not None:
            learned["redemption_rate"] = rates[offer.name][0]
    return offer.model_copy(update=learned)
