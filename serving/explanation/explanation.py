"""Explanations: how one customer's score comes about, and what would change it.

Its values are plain (text, numbers, None, lists and mappings of these; dates in ISO form):
``json.dumps(dataclasses.asdict(explanation))`` sends it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.behaviour.catalogue import ATTRIBUTE_PREFIX, FEATURES as BEHAVIOUR_FEATURES
from features.behaviour.files import BehaviourFiles
from features.language import translated, translation
from features.snapshot import Snapshot
from features.table.baskets import FEATURES as BASKET_FEATURES
from features.table.columns import Columns, rows_of
from features.table.history import FEATURES
from features.table.own import OWN_PREFIX
from serving.explanation.decision import OfferDecision, decide
from serving.explanation.keeping_costs import KeepingCosts, keeping_costs
from serving.explanation.recommendation import loss_makers, price_offers
from serving.explanation.scenario import IfSilent, IfTheyBuy, Scenarios, score_scenarios
from serving.scored_list import ScoredList
from serving.scorer import Scorer
from training.churn.inputs import Inputs
from training.clv.interval import COVERAGE
from training.model import reasons
from training.model.score_schema import SCORE_COLUMNS
from training.offers.offers import Offer, require_own_names

_CATALOGUE = {feature.name: feature for feature in (*FEATURES, *BEHAVIOUR_FEATURES, *BASKET_FEATURES)}


@dataclass(frozen=True)
class Contribution:
    """What one input adds to the log-odds of churn; its value is None where undefined or there is none."""

    feature: str
    value: float | int | str | None
    unit: str
    meaning: str
    log_odds: float


@dataclass(frozen=True)
class TopicSum:
    """Sum of the contributions of one topic; the text is None where its numbers are undefined."""

    topic: str
    log_odds: float
    text: str | None


@dataclass(frozen=True)
class LogOdds:
    """How the churn probability comes about: calibrator(total + level).

    Parameters
    ----------
    contributions : list of Contribution, the largest first
    topics : list of TopicSum, the largest first; they sum to the total less the constant
    total : float, the sum of the contributions
    level : float, what past windows missed in common and is put back
    calibrator : {"none", "platt", "beta"}
    churn_probability : float in [0, 1]
    """

    contributions: list[Contribution]
    topics: list[TopicSum]
    total: float
    level: float
    calibrator: str
    churn_probability: float


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
    score = {name: _plain(scored.columns[name][0]) for name in SCORE_COLUMNS}
    (now,), later = price_offers(scored.columns, offers), price_offers(scenarios.silent_scores, offers)
    silent = {ahead.silent_days: prices for ahead, prices in zip(scenarios.if_silent, later, strict=True)}
    tiers = scorer.model.tiers
    losses = dict(zip(silent, loss_makers(scenarios.silent_scores), strict=True))
    return Explanation(
        score=score,
        log_odds=_log_odds(scorer, scenarios.features, scored.snapshot, score["churn_probability"]),
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


def _plain(value: Any) -> Any:
    """Return a value in JSON's types: NaN as None, a date as its ISO text."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | list):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value != value else value


def _log_odds(scorer: Scorer, features: Columns, snapshot: Snapshot, churn_probability: float) -> LogOdds:
    churn, clv = scorer.model.churn, scorer.model.clv
    described = {**features, **clv.predict(features, scorer.model.terms.horizon_days)}
    parts = churn.contributions(described)
    contributions = [
        _contribution(name, described, part)
        for name, part in zip(churn.inputs.contributions, parts[0], strict=True)
    ]
    return LogOdds(
        contributions=sorted(contributions, key=lambda part: -abs(part.log_odds)),
        topics=_topics(parts, described, churn.inputs),
        total=math.fsum(part.log_odds for part in contributions),
        level=churn.level.at(snapshot),
        calibrator=churn.calibrator.kind,
        churn_probability=churn_probability,
    )


def _contribution(name: str, described: Columns, log_odds: float) -> Contribution:
    if name.startswith(ATTRIBUTE_PREFIX):
        meaning = translated("What the file of attributes says of the customer.")
        return Contribution(name, _known(name, described), "text", meaning, float(log_odds))
    if name.startswith(OWN_PREFIX):
        meaning = translated("A feature of the shop's own, written in its settings ([features.own]).")
        return Contribution(name, _known(name, described), "", meaning, float(log_odds))
    feature = _CATALOGUE.get(name)
    if feature is not None:
        value = _known(name, described)
        return Contribution(name, value, feature.unit, translation(feature.meaning), float(log_odds))
    words = other_contributions()[name]
    value = _plain(described[words["column"]][0]) if "column" in words else None
    return Contribution(name, value, words["unit"], translation(words["meaning"]), float(log_odds))


@cache
def other_contributions() -> dict[str, dict[str, str]]:
    """Read the unit and the meaning of the contributions that are no features, in English."""
    return tomllib.loads((files("serving.explanation") / "contributions.toml").read_text(encoding="utf-8"))


def _known(name: str, described: Columns) -> Any:
    """Return the customer's value of a feature; None where it is undefined, or the request lacks its file."""
    return _plain(described[name][0]) if name in described else None


def _topics(parts: np.ndarray, described: Columns, inputs: Inputs) -> list[TopicSum]:
    """Sum by topic, each with the text of a customer whom this topic alone moves."""
    wording = reasons.load_wording(inputs)
    (sums,) = reasons.topic_sums(parts, wording)
    same = rows_of(described, np.zeros(len(sums), dtype=np.intp))
    texts = reasons.word_reasons(np.diag(sums), np.full(len(sums), 0.5), same, wording, top=1)
    topics = [
        TopicSum(name, float(log_odds), text[0] if text else None)
        for name, log_odds, text in zip(wording.topics, sums, texts, strict=True)
    ]
    return sorted(topics, key=lambda topic: -abs(topic.log_odds))


def _facts(scenarios: Scenarios, snapshot: Snapshot) -> Facts:
    known = {feature.name: _plain(scenarios.features[feature.name][0]) for feature in FEATURES}
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
