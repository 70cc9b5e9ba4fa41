"""How one customer's churn probability comes about: what each input of the model adds to its log-odds."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from features.behaviour.catalogue import ATTRIBUTE_PREFIX, FEATURES as BEHAVIOUR_FEATURES
from features.language import translated, translation
from features.snapshot import Snapshot
from features.table.baskets import FEATURES as BASKET_FEATURES
from features.table.columns import Columns, rows_of
from features.table.history import FEATURES
from features.table.own import OWN_PREFIX
from serving.scorer import Scorer
from training.churn.inputs import Inputs
from training.model import reasons

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


def log_odds_of(scorer: Scorer, features: Columns, snapshot: Snapshot, churn_probability: float) -> LogOdds:
    """Return what each input of the model adds, from the features of one customer."""
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
    value = plain_value(described[words["column"]][0]) if "column" in words else None
    return Contribution(name, value, words["unit"], translation(words["meaning"]), float(log_odds))


@cache
def other_contributions() -> dict[str, dict[str, str]]:
    """Read the unit and the meaning of the contributions that are no features, in English."""
    return tomllib.loads((files("serving.explanation") / "contributions.toml").read_text(encoding="utf-8"))


def _known(name: str, described: Columns) -> Any:
    """Return the customer's value of a feature; None where it is undefined, or the request lacks its file."""
    return plain_value(described[name][0]) if name in described else None


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


def plain_value(value: Any) -> Any:
    """Return a value in JSON's types: NaN as None, a date as its ISO text."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | list):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value != value else value
