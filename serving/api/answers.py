"""What the service gives: one definition for the answers and for the OpenAPI document.

Answers to many customers are written straight from the scored columns; that they are what the schemas
promise is checked here for the numbers (a NaN is our failure, never a silent null) and by the tests for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from pydantic_core import to_json

from serving.explanation.explanation import Explanation
from serving.explanation.recommendation import Recommendation
from serving.scorer import ScoredList
from serving.store.store import Lookup
from training.model.retention_model import SCORE_COLUMNS, TIERS

_INTERVAL = ("expected_value_low", "expected_value_high")
_NUMBERS = (
    *("churn_probability", "p_alive", "expected_purchases", "expected_spend", "expected_value"),
    *("value_if_silent", "value_at_stake", "value_at_risk"),
)

Interval = Annotated[
    FiniteFloat | None,
    Field(description="An 80% interval of the expectation; null where the version has none."),
]


class CustomerScore(BaseModel):
    """One customer's score; the fields are the columns of a scored list."""

    customer_id: str
    snapshot_date: date
    churn_probability: Annotated[
        FiniteFloat, Field(ge=0, le=1, description="Of no order in the churn window.")
    ]
    p_alive: Annotated[
        FiniteFloat, Field(ge=0, le=1, description="BG/NBD's P(alive): 1 after a single order.")
    ]
    expected_purchases: Annotated[FiniteFloat, Field(description="In the churn window.")]
    expected_spend: Annotated[FiniteFloat, Field(description="In the churn window, net of refunds.")]
    expected_value: Annotated[FiniteFloat, Field(description="Discounted margin over the value horizon.")]
    expected_value_low: Interval
    expected_value_high: Interval
    value_if_silent: Annotated[FiniteFloat, Field(description="What they bring after a silent churn window.")]
    value_at_stake: Annotated[FiniteFloat, Field(description="What winning back a leaver saves.")]
    value_at_risk: Annotated[FiniteFloat, Field(description="churn_probability × value_at_stake.")]
    value_tier: Annotated[str, Field(json_schema_extra={"enum": list(TIERS)})]
    next_purchase_date: Annotated[date | None, Field(description="Median; null where never is likelier.")]
    next_purchase_low: Annotated[date | None, Field(description="By then with 10% probability.")]
    next_purchase_high: Annotated[
        date | None, Field(description="By then with 90%; null where never is likelier.")
    ]
    reasons: Annotated[list[str], Field(description="What moves churn_probability most, in words.")]
    model_version: str


class Unscored(BaseModel):
    """A customer without a score, and why."""

    customer_id: str
    reason: str


class Rows(BaseModel):
    """Where every transaction went: in = used + quarantined + not_yet_visible."""

    model_config = ConfigDict(serialize_by_alias=True)

    rows_in: Annotated[int, Field(alias="in")]
    used: int
    quarantined: Annotated[dict[str, int], Field(description="Rows that cannot be used, by reason.")]
    not_yet_visible: Annotated[int, Field(description="At the snapshot or after it.")]


class OfferPrice(BaseModel):
    """What one offer would earn and cost with one customer."""

    offer: str
    expected_profit: Annotated[
        FiniteFloat | None,
        Field(
            description="Contact only where it is above zero. Null (and so the cost) where the incentive is a "
            "share of a purchase that is not expected."
        ),
    ]
    expected_cost: FiniteFloat | None
    break_even_probability: Annotated[
        FiniteFloat | None, Field(description="Churn probability above which it pays; null: never.")
    ]
    break_even_acceptance: Annotated[
        FiniteFloat | None, Field(description="Acceptance rate above which it pays; null: never.")
    ]


class PricedScore(CustomerScore):
    """One customer's score, with a price for each offer of the request, if it had any."""

    offers: Annotated[list[OfferPrice] | None, Field(description="Only where offers were sent.")] = None
    recommended_offer: Annotated[
        str | None, Field(description="The most profitable offer; null: contact nobody, it would not pay.")
    ] = None


class ScoreResponse(BaseModel):
    """Every customer of the request, scored (most value at risk first) or with the reason why not."""

    model_version: str
    snapshot_date: date
    scores: list[PricedScore]
    unscored: list[Unscored]
    rows: Rows


class LookupResponse(BaseModel):
    """The newest published scores of the customers asked about, in their order."""

    model_version: str
    snapshot_date: date
    published_at: datetime
    scores: list[CustomerScore]
    unknown: Annotated[list[str], Field(description="Who has no published score.")]


def score_answer(scored: ScoredList, version: str, recommended: Sequence[Recommendation]) -> bytes:
    """Write a `ScoreResponse` as JSON; numbers are passed on to the last digit.

    Parameters
    ----------
    scored : ScoredList
    version : str
    recommended : sequence of Recommendation, one a score; empty where no offers were sent

    Raises
    ------
    RuntimeError
        If a score is not a number: an error is better than a silent null.
    """
    scores = _rows(scored)
    for score, best in zip(scores, recommended, strict=bool(recommended)):
        score |= asdict(best)
    return to_json(
        {
            "model_version": version,
            "snapshot_date": scored.snapshot.date,
            "scores": scores,
            "unscored": scored.unscored.to_dict("records") if len(scored.unscored) else [],
            "rows": {
                "in": scored.rows_in,
                "used": scored.rows_used,
                "quarantined": scored.quarantined,
                "not_yet_visible": scored.rows_not_visible,
            },
        }
    )


def _rows(scored: ScoredList) -> list[dict[str, Any]]:
    numbers = {name: np.asarray(scored.columns[name], dtype=np.float64) for name in _NUMBERS}
    columns = {name: scored.columns[name].tolist() for name in SCORE_COLUMNS}
    if broken := [name for name, column in numbers.items() if not np.isfinite(column).all()]:
        raise RuntimeError(f"version {columns['model_version'][0]} gave no answer fit to send: {broken}")
    for name in _INTERVAL:
        columns[name] = [None if value != value else value for value in columns[name]]
    return [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def lookup_answer(found: Lookup) -> bytes:
    """Write a `LookupResponse` as JSON."""
    published = found.publication
    return to_json(
        {
            "model_version": published.model_version,
            "snapshot_date": published.snapshot_date,
            "published_at": published.published_at,
            "scores": found.scores,
            "unknown": found.unknown,
        }
    )


def explain_answer(explanation: Explanation) -> bytes:
    """Write an `Explanation` as JSON."""
    return to_json(explanation)


class TrainingLog(BaseModel):
    """The log a version was trained on."""

    first_day: date
    last_day: date
    customers: int
    rows_used: int
    fingerprint: str


class Verdict(BaseModel):
    """How the training recipe did on a snapshot that no choice was made on."""

    snapshot_date: date
    metrics: dict[str, float]


class ModelInfo(BaseModel):
    """The version that scores."""

    model_version: str
    trained_at: datetime
    snapshot_date: Annotated[date, Field(description="The newest snapshot the version knows.")]
    horizon_days: Annotated[int, Field(description="Length of the churn window.")]
    value_horizon_days: int
    dormant_after_days: int
    log: TrainingLog
    test: Verdict
    features: list[str]
