"""Schemas of the answers, for writing them and for the OpenAPI document.

Answers to many customers are written straight from the scored columns; that they are what the schemas
promise is checked here for the numbers (a NaN is our failure, never a silent null) and by the tests for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, JsonValue, create_model
from pydantic_core import to_json

from serving.client.answer_types import OfferPrice, Rows, Unscored
from serving.explanation.caller_card import CallerCard
from serving.explanation.explanation import Explanation
from serving.explanation.recommendation import Recommendation
from serving.scored_list import ScoredList
from serving.store.store import Lookup
from training.model.card import TrainingCard
from training.model.score_schema import SCHEMA, SCORE_COLUMNS, Column

_REQUIRED = [column.name for column in SCHEMA.values() if column.type is float and column.required]
_OPTIONAL = [column.name for column in SCHEMA.values() if column.type is float and not column.required]
_JSON: dict[type, Any] = {str: str, float: FiniteFloat, int: int, date: date, list: list[str]}


def _field(column: Column) -> Any:
    """Return a column of the score schema as pydantic has fields."""
    kind = _JSON[column.type] | None if column.nullable else _JSON[column.type]
    choices: list[JsonValue] = [*(column.one_of or ()), *([None] if column.nullable else [])]
    enum: dict[str, JsonValue] | None = {"enum": choices} if column.one_of else None
    return Annotated[
        kind,
        Field(
            description=column.description,
            ge=column.lowest,
            le=column.highest,
            json_schema_extra=enum,
        ),
    ]


_FIELDS: dict[str, Any] = {column.name: (_field(column), ...) for column in SCHEMA.values()}


class CustomerScore(create_model("_Score", **_FIELDS)):  # type: ignore[misc]
    """One customer's score; the fields are the columns of a scored list."""


class PricedScore(CustomerScore):
    """One customer's score, with the price of each offer of the request, if it had any."""

    offers: Annotated[list[OfferPrice] | None, Field(description="Only where offers were sent.")] = None
    recommended_offer: Annotated[
        str | None, Field(description="The most profitable offer; null: contact nobody, it would not pay.")
    ] = None


class ScoreResponse(BaseModel):
    """Every customer of the request, scored (most value at risk first, the dormant last) or with the reason why not."""

    model_version: str
    snapshot_date: date
    scores: list[PricedScore]
    unscored: list[Unscored]
    rows: Rows
    notes: Annotated[
        list[str],
        Field(
            description="What to know about the scores, such as fields that the model learnt from and the request "
            "lacks."
        ),
    ]


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
            "notes": scored.notes,
        }
    )


def _rows(scored: ScoredList) -> list[dict[str, Any]]:
    numbers = {name: np.asarray(scored.columns[name], dtype=np.float64) for name in _REQUIRED}
    columns = {name: scored.columns[name].tolist() for name in SCORE_COLUMNS}
    if broken := [name for name, column in numbers.items() if not np.isfinite(column).all()]:
        raise RuntimeError(f"version {columns['model_version'][0]} gave no answer fit to send: {broken}")
    for name in _OPTIONAL:
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


@dataclass(frozen=True)
class ExplainResponse(Explanation):
    """One customer's score, and how it comes about."""

    score: CustomerScore


class ForgetResponse(BaseModel):
    """Receipt of an erasure, which names nobody."""

    number: Annotated[str, Field(description="To quote the receipt by.")]
    erased_at: datetime
    customers: Annotated[int, Field(description="Asked for.")]
    rows: Annotated[int, Field(description="Scores that were deleted, of all published sets.")]


@dataclass(frozen=True)
class CardResponse(CallerCard):
    """One customer at a glance, and in words."""


def card_answer(card: CallerCard) -> bytes:
    """Write a `CallerCard` as JSON."""
    return to_json(card)


def explain_answer(explanation: Explanation) -> bytes:
    """Write an `Explanation` as JSON."""
    return to_json(explanation)


class TrainingLog(BaseModel):
    """The transaction log that a version was trained on."""

    first_day: date
    last_day: date
    customers: int
    rows_used: int
    fingerprint: str


class EvaluationSummary(BaseModel):
    """Metrics of the training procedure on a snapshot held out from every choice."""

    snapshot_date: date
    metrics: dict[str, float]


class ModelInfo(BaseModel):
    """The model version that scores."""

    model_version: str
    trained_at: datetime
    snapshot_date: Annotated[date, Field(description="The newest snapshot the version knows.")]
    horizon_days: Annotated[int, Field(description="Length of the churn window.")]
    value_horizon_days: int
    dormant_after_days: int
    log: TrainingLog
    test: EvaluationSummary
    features: list[str]

    @classmethod
    def of(cls, card: TrainingCard, version: str) -> ModelInfo:
        """Take from a training card what the service tells of its version."""
        return cls(
            model_version=version,
            trained_at=card.trained_at,
            snapshot_date=card.snapshot.date,
            horizon_days=card.horizon_days,
            value_horizon_days=card.value_horizon_days,
            dormant_after_days=card.dormant_after_days,
            log=TrainingLog(
                first_day=card.log.first_day,
                last_day=card.log.last_day,
                customers=card.log.customers,
                rows_used=card.log.rows_used,
                fingerprint=card.log.fingerprint,
            ),
            test=EvaluationSummary(snapshot_date=card.test.snapshot.date, metrics=card.test.metrics),
            features=list(card.features),
        )
