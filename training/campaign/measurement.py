"""Effect of a campaign: contacted against held-out customers, in retention, orders, days and money.

Customers are compared as drawn (intention to treat). The plan named one primary measure beforehand; the others
explain it. Measured money is that of the period. The later value of a kept customer is the plan's estimate, value
at stake; it is reported beside the measured money and not added to it.

Before the churn window closes, intervals hold at every look together (`training.campaign.sequential`); afterwards they
are those of one look. A log that goes on for months after the window shows what the kept customers went on to do
(`training.campaign.resumption_learning`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.language import translated
from features.log.transactions import TransactionLog
from training.campaign.acceptance import AcceptanceUpdate, acceptance_prior, update_acceptance
from training.campaign.acceptance_by_silence import learn_by_silence
from training.campaign.assignment import Assignment
from training.campaign.contact_cost import contact_costs, redemption
from training.campaign.effect import Effect, effect
from training.campaign.measurement_notes import FEWEST_PER_GROUP, measurement_notes
from training.campaign.outcomes import campaign_outcomes, campaign_period, covariates
from training.campaign.power import Power, power_of
from training.campaign.resumption_learning import LearnedResumption, learn_resumption
from training.campaign.sequential import confidence_of_a_look
from training.campaign.settings import Measure, MeasureTerms
from training.campaign.verdict import verdict
from training.offers.offers import Floats, Offer


@dataclass(frozen=True)
class Measurement:
    """Findings of a campaign.

    Parameters
    ----------
    effects : dict of (group, measure) to Effect; group "all", "offer …" or "tier …"
    cost : float, money, what the contacts cost
    updates : dict of offer name to AcceptanceUpdate
    offers : tuple of Offer, with what the campaign taught
    power : tuple of Power, customers that the effects which the plan expected would take
    resumption : LearnedResumption or None, where the log goes on after the churn window
    notes : tuple of str, warnings first to last
    """

    assignment: Assignment
    start: date
    end: date
    effects: dict[tuple[str, str], Effect]
    cost: float
    updates: dict[str, AcceptanceUpdate]
    offers: tuple[Offer, ...]
    power: tuple[Power, ...] = ()
    resumption: LearnedResumption | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def days(self) -> int:
        """Days that are measured, at most those of the churn window."""
        return (self.end - self.start).days

    @property
    def complete(self) -> bool:
        """Whether the churn window has closed; before, intervals hold at every look together."""
        return self.days >= self.assignment.record.horizon_days

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
    def measured_profit(self) -> Effect:
        """Profit of all contacts at the plan's value of those kept, money: what the expected profit compares with."""
        found = self.effects["all", "future_profit"]
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
        return verdict(
            self.primary,
            self.primary_measure,
            start=self.start,
            days=self.days,
            of=self.assignment.record.horizon_days,
            customers=self.primary.n_contacted + self.primary.n_holdout,
        )


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
    start, until = campaign_period(assignment, log, terms.until)
    horizon_days = assignment.record.horizon_days
    end = min(until, start + timedelta(days=horizon_days))
    outcomes = campaign_outcomes(assignment, log, start, end, redeemed)
    customers, complete = assignment.customers, (end - start).days >= horizon_days
    contacted = customers["contacted"].to_numpy()
    rates = {name: redemption(offer, customers, outcomes) for name, offer in assignment.offers.items()}
    cost = contact_costs(assignment.offers, rates, customers, outcomes)
    notes = [*assignment.notes, *measurement_notes(assignment, (end - start).days, redeemed)]
    values = {
        "retention": outcomes["bought"].to_numpy(dtype=np.float64),
        "orders": outcomes["orders"].to_numpy(),
        "margin": outcomes["margin"].to_numpy(),
        "profit": outcomes["margin"].to_numpy() - cost,
        "future_profit": (outcomes["bought"] * customers["value_at_stake"]).to_numpy() - cost,
        "delay_days": outcomes["delay_days"].to_numpy(),
    }
    effects = _effects(values, customers, outcomes, terms.confidence, (end - start).days / horizon_days)
    updates = _updates(assignment, outcomes, notes) if complete else {}
    return Measurement(
        assignment=assignment,
        start=start,
        end=end,
        effects=effects,
        cost=float(cost[contacted].sum()),
        updates=updates,
        offers=tuple(_learned(offer, updates, rates, redeemed) for offer in assignment.offers.values()),
        power=power_of(effects["all", "retention"], effects["all", "future_profit"], assignment.record)
        if complete
        else (),
        resumption=learn_resumption(assignment, log, until, outcomes["bought"], terms.confidence)
        if until > end
        else None,
        notes=tuple(notes),
    )


def _effects(
    values: dict[str, Floats],
    customers: pd.DataFrame,
    outcomes: pd.DataFrame,
    confidence: float,
    share_of_window: float,
) -> dict[tuple[str, str], Effect]:
    """Estimate every measure for everybody, by offer and by value tier."""
    known = covariates(customers, outcomes)
    level = confidence_of_a_look(share_of_window, confidence) if share_of_window < 1 else confidence
    contacted, stratum = customers["contacted"].to_numpy(), customers["stratum"].to_numpy()
    groups = {"all": np.ones(len(customers), dtype=bool)}
    for column, word in (("offer", "offer"), ("value_tier", "tier")):
        for name in customers[column].unique():
            if name:
                groups[f"{word} {name}"] = (customers[column] == name).to_numpy()
    found = {}
    for group, rows in groups.items():
        smallest = min(int((rows & contacted).sum()), int((rows & ~contacted).sum()))
        if group != "all" and smallest < FEWEST_PER_GROUP:
            continue
        for name, value in values.items():
            limits = (0.0, 1.0) if name == "retention" else None
            estimate = effect(
                value[rows], contacted[rows], stratum[rows], known[rows], confidence=level, limits=limits
            )
            found[group, name] = replace(estimate, confidence=confidence)
    return found


def _updates(assignment: Assignment, outcomes: pd.DataFrame, notes: list[str]) -> dict[str, AcceptanceUpdate]:
    """Learn each offer's acceptance; say where a campaign was too small to."""
    customers, updates = assignment.customers, {}
    for name, offer in assignment.offers.items():
        part = customers[customers["offer"] == name]
        sizes = part["contacted"].value_counts().reindex([True, False], fill_value=0)
        if sizes.min() < 2:
            if sizes.sum():
                notes.append(
                    translated(
                        "{name}: {n:,} held out is too few to learn its acceptance from.",
                        name=name,
                        n=int(sizes[False]),
                    )
                )
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
            notes.append(translated("{name}: {warning}", name=name, warning=update.warning))
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
