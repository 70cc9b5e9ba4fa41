"""Explanations: how one customer's score comes about, and what would change it.

Its values are plain (text, numbers, None, lists and mappings of these; dates in ISO form):
``json.dumps(dataclasses.asdict(explanation))`` sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from features.behaviour.files import BehaviourFiles
from features.language import translated
from features.snapshot import Snapshot
from features.table.history import FEATURES
from serving.explanation.decision import OfferDecision, decide
from serving.explanation.keeping_costs import KeepingCosts, keeping_costs
from serving.explanation.log_odds import LogOdds, log_odds_of, plain_value
from serving.explanation.recommendation import loss_makers, price_offers
from serving.explanation.scenario import IfSilent, IfTheyBuy, Scenarios, score_scenarios
from serving.scored_list import ScoredList
from serving.scorer import Scorer
from training.clv.interval import COVERAGE
from training.model.score_schema import SCORE_COLUMNS
from training.offers.offers import Offer, require_own_names


@dataclass(frozen=True)
class Facts:
    """Facts of the orders before the snapshot; purchases are purchase days, None is undefined."""

    frequency: int
    recency: int
    T: int
    monetary_value: float
    first_purchase_date: str
    last_purchase_date: str
    orders: int
    net_spend: float
    days_since_last_purchase: int
    mean_gap_days: float | None
    overdue_ratio: float | None


@dataclass(frozen=True)
class Interval:
    """Intervals of the expected value and of the next purchase; None as in the score."""

    level: float
    of: str
    expected_value_low: float | None
    expected_value: float
    expected_value_high: float | None
    next_purchase_low: str | None
    next_purchase_date: str | None
    next_purchase_high: str | None


@dataclass(frozen=True)
class TierDistance:
    """Value from which a tier starts, and how much the customer lacks; negative where they exceed it.

    The value is the score's column ``cut_by``: ``expected_value``, or ``expected_gross_value`` for the tiers of a bank.
    """

    tier: str
    cut_by: str
    from_value: float
    missing: float


@dataclass(frozen=True)
class WhatWouldChange:
    """Scores and decisions under other circumstances."""

    if_they_buy: IfTheyBuy
    if_silent: list[IfSilent]
    offers: list[OfferDecision]
    tiers: list[TierDistance]


@dataclass(frozen=True)
class Explanation:
    """One customer's score, explained.

    Parameters
    ----------
    score : dict
        The columns of the contract.
    costs : KeepingCosts or None
        None: the version knows no costs.
    recommended_offer : str or None
        None: no offer was sent, none pays, or the customer costs more than they bring.
    rows : dict
        Where every row went: in = used + not_yet_visible + the sum of quarantined.
    model_version : str
    notes : list of str
        As in `ScoredList.notes`.
    """

    score: dict[str, Any]
    log_odds: LogOdds
    facts: Facts
    interval: Interval
    costs: KeepingCosts | None
    what_would_change: WhatWouldChange
    recommended_offer: str | None
    rows: dict[str, Any]
    model_version: str
    notes: list[str]


def explain(
    scorer: Scorer,
    rows: pa.Table,
    snapshot: Snapshot | None = None,
    *,
    offers: Sequence[Offer] = (),
    beside: BehaviourFiles | None = None,
    costs: pd.DataFrame | None = None,
) -> Explanation:
    """Explain the score of one customer.

    Parameters
    ----------
    scorer : Scorer
    rows : pyarrow.Table
        The customer's orders, in the columns of the log contract.
    snapshot : Snapshot
        By default tomorrow, so that today's orders count.
    offers : sequence of Offer
        To be priced; capacities are not looked at.
    beside : BehaviourFiles
        What is known of the customer beside the orders.
    costs : DataFrame
        As in `Scorer.score_customers`.

    Returns
    -------
    Explanation

    Raises
    ------
    StayworthError
        If two offers share a name; as `Scorer.score_one`.
    """
    require_own_names(offers)
    log, scored = scorer.score_one(rows, snapshot, beside, costs)
    own = scorer.costs.columns(
        scorer.costs.year_of_request(log, scored.snapshot, costs), scored.columns["customer_id"]
    )
    scenarios = score_scenarios(scorer.model, log, scored.snapshot, scorer.learnt_from(beside), own)
    return explain_scored(scorer, scored, scenarios, offers)


def explain_scored(
    scorer: Scorer, scored: ScoredList, scenarios: Scenarios, offers: Sequence[Offer] = ()
) -> Explanation:
    """Explain the score of one customer who is scored already.

    Parameters
    ----------
    scorer : Scorer
    scored : ScoredList, of that customer alone
    scenarios : Scenarios, of the same orders at the same snapshot
    offers : sequence of Offer, each of a name of its own
    """
    score = {name: plain_value(scored.columns[name][0]) for name in SCORE_COLUMNS}
    (now,), later = price_offers(scored.columns, offers), price_offers(scenarios.silent_scores, offers)
    silent = {ahead.silent_days: prices for ahead, prices in zip(scenarios.if_silent, later, strict=True)}
    tiers = scorer.model.tiers
    losses = dict(zip(silent, loss_makers(scenarios.silent_scores), strict=True))
    return Explanation(
        score=score,
        log_odds=log_odds_of(scorer, scenarios.features, scored.snapshot, score["churn_probability"]),
        facts=_facts(scenarios, scored.snapshot),
        interval=_interval(scorer, score),
        costs=keeping_costs(scorer.model, scenarios.features, score),
        what_would_change=WhatWouldChange(
            if_they_buy=scenarios.if_they_buy,
            if_silent=scenarios.if_silent,
            offers=decide(offers, score, now, silent, losses),
            tiers=[
                TierDistance(tier, tiers.cut_by, cut, cut - score[tiers.cut_by])
                for tier, cut in zip(tiers.names, tiers.cuts, strict=False)
            ],
        ),
        recommended_offer=now.recommended_offer,
        rows={
            "in": scored.rows_in,
            "used": scored.rows_used,
            "quarantined": scored.quarantined,
            "not_yet_visible": scored.rows_not_visible,
        },
        model_version=scorer.version,
        notes=list(scored.notes),
    )


def _facts(scenarios: Scenarios, snapshot: Snapshot) -> Facts:
    known = {feature.name: plain_value(scenarios.features[feature.name][0]) for feature in FEATURES}
    kept = ("frequency", "recency", "T", "monetary_value", "net_spend", "days_since_last_purchase")
    return Facts(
        **{name: known[name] for name in (*kept, "mean_gap_days", "overdue_ratio")},
        first_purchase_date=(snapshot.date - timedelta(days=known["T"])).isoformat(),
        last_purchase_date=(snapshot.date - timedelta(days=known["days_since_last_purchase"])).isoformat(),
        orders=scenarios.orders,
    )


def _interval(scorer: Scorer, score: dict[str, Any]) -> Interval:
    days = scorer.model.terms.value_horizon_days
    names = ("expected_value", "expected_value_low", "expected_value_high")
    dates = ("next_purchase_low", "next_purchase_date", "next_purchase_high")
    return Interval(
        level=COVERAGE,
        of=translated(
            "{level:.0%} interval of the expectation: how well the discounted margin of the next {days:day|days} is "
            "known on average of such customers, not how far one customer may stray from it",
            level=COVERAGE,
            days=days,
        ),
        **{name: score[name] for name in (*names, *dates)},
    )
