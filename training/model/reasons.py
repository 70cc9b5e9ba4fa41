"""Reasons: the largest contributions to a customer's churn probability, as texts with the customer's own numbers.

The churn model's log-odds are a sum of contributions (`ChurnModel.contributions`). Contributions of related features
are summed by topic, and the topics with the largest sums are named. For a customer at risk, what raises the risk comes
first: with that the question "why is this customer on the list?" is answered, and what speaks against it follows.

Topics and texts are data (``training/model/topics.toml``), in English; they are said in the chosen language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import expit, logit

from features.behaviour.catalogue import ATTRIBUTE_PREFIX, ATTRIBUTES, FEATURES as BEHAVIOUR_FEATURES, file_of
from features.language import current_language, translation, use_language, written
from features.table.baskets import FEATURES as BASKET_FEATURES
from features.table.columns import Columns
from features.table.own import OWN_PREFIX
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.model.phrases import Phrase

CASES = ("once", "none", "overdue", "text")
"""Cases of a text, the first that applies; the last applies to everyone."""

NOTABLE = 0.1
"""A topic that alone raises the churn probability by this much puts a customer at risk."""


@dataclass(frozen=True)
class AttributePhrase:
    """What an attribute or own feature of a customer is, in a frame of the language; a drop-in for a `Phrase`."""

    name: str
    frame: str
    numbers: tuple[str, ...] = ()

    def fill(self, columns: Columns, rows: np.ndarray) -> np.ndarray:
        """Write the phrase for customers; empty where the attribute is missing."""
        label = self.name.removeprefix(ATTRIBUTE_PREFIX).removeprefix(OWN_PREFIX)
        values = columns[self.name][rows].tolist() if self.name in columns else [None] * len(rows)
        filled = np.empty(len(rows), dtype=object)
        filled[:] = [
            ""
            if value is None or value != value
            else self.frame.replace("{reason}", f"{label}: {_shown(value)}")
            for value in values
        ]
        return filled


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else written(value, ",.4g")


Texts = Mapping[str, Phrase | AttributePhrase]


@dataclass(frozen=True)
class Topic:
    """Related features that make one reason, and its texts by case, where it raises the risk and where it lowers it."""

    features: tuple[str, ...]
    up: Texts
    down: Texts


@dataclass(frozen=True)
class Wording:
    """The topics and texts of one language, of one model's inputs.

    ``costs`` is the text of customers who cost more than they bring.
    """

    topics: dict[str, Topic]
    costs: Phrase
    beside: tuple[str, ...] = ()

    @cached_property
    def features(self) -> list[int]:
        """Places of the topics' features among the contributions, topic by topic."""
        names = Inputs(self.beside).contributions
        return [names.index(name) for topic in self.topics.values() for name in topic.features]

    @cached_property
    def first_features(self) -> np.ndarray:
        """Where each topic begins in `features`."""
        counts = [len(topic.features) for topic in self.topics.values()]
        return np.cumsum([0, *counts[:-1]])


def load_wording(inputs: Inputs = ORDERS_ALONE) -> Wording:
    """Return the texts of a model's topics in the chosen language (`features.language`)."""
    return _wording(current_language(), inputs.beside)


@cache
def _wording(language: str, beside: tuple[str, ...]) -> Wording:
    known = Inputs(beside).contributions
    with use_language(language):
        data = read_topics()
        topics = {name: _topic(topic, data, known) for name, topic in data["topics"].items()}
        topics |= {
            name: _attribute_topic(name, data) for name in beside if file_of(name) in (ATTRIBUTES, name)
        }
        told = {name: topic for name, topic in topics.items() if topic.features}
        return Wording(told, Phrase(translation(data["costs"])), beside)


def read_topics() -> dict[str, Any]:
    """Read the topics and their texts in English."""
    return tomllib.loads((files("training.model") / "topics.toml").read_text(encoding="utf-8"))


def names_of_topics() -> Iterator[str]:
    """Yield the name of every topic as a reader sees it, for its translation."""
    yield from (name.replace("_", " ") for name in read_topics()["topics"])


def texts_of_topics() -> Iterator[str]:
    """Yield every text of the topics, for their translation."""
    data = read_topics()
    yield from (data[name] for name in ("raises", "lowers", "costs"))
    for topic in data["topics"].values():
        for texts in (topic, topic.get("up", {}), topic.get("down", {})):
            yield from (texts[case] for case in CASES if case in texts)


def _attribute_topic(name: str, data: dict[str, Any]) -> Topic:
    up, down = ({"text": AttributePhrase(name, translation(data[frame]))} for frame in ("raises", "lowers"))
    return Topic((name,), up, down)


def _topic(topic: dict[str, Any], data: dict[str, Any], known: Collection[str]) -> Topic:
    """Return a topic of those of its features that a model has."""

    def phrases(move: str, frame: str) -> dict[str, Phrase | AttributePhrase]:
        said = {**topic, **topic.get(move, {})}
        around = translation(data[frame])
        return {
            case: Phrase(around.replace("{reason}", translation(said[case])))
            for case in CASES
            if case in said
        }

    features = tuple(name for name in topic["features"] if name in known)
    return Topic(features, phrases("up", "raises"), phrases("down", "lowers"))


def topic_sums(contributions: np.ndarray, wording: Wording) -> np.ndarray:
    """Sum contributions by topic; ``constant`` is left out, the same for everyone.

    Parameters
    ----------
    contributions : ndarray of shape (n_customers, n_features + 3), log-odds, from `ChurnModel.contributions`
    wording : Wording

    Returns
    -------
    ndarray of shape (n_customers, n_topics), log-odds
    """
    by_topic = contributions[:, wording.features]
    return np.asarray(np.add.reduceat(by_topic, wording.first_features, axis=1))


def word_reasons(
    sums: np.ndarray, churn_probability: np.ndarray, columns: Columns, wording: Wording, *, top: int = 3
) -> np.ndarray:
    """Name the topics that move each customer's churn probability most.

    For a customer at risk the topic that raises the risk most comes first, even if another lowers it by more; for all
    others the one that lowers it most. The rest follow by size. At risk are customers whose topics together raise the
    log-odds, and those whose probability one topic alone raises by `NOTABLE`.

    Parameters
    ----------
    sums : ndarray of shape (n_customers, n_topics), from `topic_sums`
    churn_probability : ndarray of shape (n_customers,)
    columns : Columns
        Of the feature table.
    wording : Wording
    top : int

    Returns
    -------
    ndarray of shape (n_customers,) of lists of up to ``top`` texts; a topic that moves nothing is not named
    """
    facts = _facts(columns, wording.beside)
    order = _order(sums, churn_probability)[:, :top]
    texts = np.full(order.shape, "", dtype=object)
    topics = list(wording.topics.values())
    for number in np.unique(order).tolist():
        topic = topics[number]
        rows, places = np.nonzero(order == number)
        moves = sums[rows, number]
        for phrases, chosen in ((topic.up, moves > 0), (topic.down, moves < 0)):
            if chosen.any():
                texts[rows[chosen], places[chosen]] = _texts(phrases, facts, rows[chosen])
    named = texts.tolist()
    for row in np.flatnonzero((texts == "").any(axis=1)).tolist():
        named[row] = [text for text in named[row] if text]
    reasons = np.empty(len(texts), dtype=object)
    reasons[:] = named
    return reasons


def add_costs(
    reasons: np.ndarray, expected_value: np.ndarray, gross_value: np.ndarray, days: int, wording: Wording
) -> None:
    """Add to the reasons of customers who cost more than they bring what they cost and bring, in place.

    Parameters
    ----------
    reasons : ndarray of shape (n_customers,) of lists of texts
    expected_value, gross_value : ndarray of shape (n_customers,), money, net of costs and not
    days : int, over which they are valued
    wording : Wording
    """
    rows = np.flatnonzero(expected_value < 0)
    cost = gross_value - expected_value
    columns = {"cost": cost, "brought": gross_value, "days": np.full(len(cost), float(days))}
    for row, text in zip(rows.tolist(), wording.costs.fill(columns, rows), strict=True):
        reasons[row].append(text)


def _order(sums: np.ndarray, churn_probability: np.ndarray) -> np.ndarray:
    """Return each customer's topics in the order in which they are named."""
    strongest = sums.max(axis=1)
    without = expit(logit(np.clip(churn_probability, 1e-12, 1 - 1e-12)) - strongest)
    at_risk = (sums.sum(axis=1) > 0) | (churn_probability - without >= NOTABLE)
    towards = sums * np.where(at_risk, 1.0, -1.0)[:, None]
    size = np.abs(sums)
    leads = towards.argmax(axis=1)
    rows = np.arange(len(sums))
    size[rows, leads] = np.where(towards[rows, leads] > 0, np.inf, size[rows, leads])
    return np.argsort(-size, axis=1, kind="stable")


def _facts(columns: Columns, beside: tuple[str, ...]) -> Columns:
    missing: Columns = {}
    if beside:
        unknown = np.full(len(columns["frequency"]), np.nan)
        told = (*(feature.name for feature in (*BEHAVIOUR_FEATURES, *BASKET_FEATURES)), *beside)
        missing = {name: unknown for name in told if name not in columns}
    return {
        **missing,
        **columns,
        "purchase_days": columns["frequency"] + 1,
        "orders_before": columns["orders_180d"] - columns["orders_90d"],
        "spend_before": columns["spend_180d"] - columns["spend_90d"],
    }


def _texts(phrases: Texts, facts: Columns, rows: np.ndarray) -> np.ndarray:
    """Write a topic's texts for customers, each in the first case that applies."""
    texts = np.full(len(rows), "", dtype=object)
    left = np.ones(len(rows), dtype=bool)
    for case, phrase in phrases.items():
        if not left.any():
            break
        chosen = left & _applies(case, phrases, facts, rows)
        texts[chosen] = phrase.fill(facts, rows[chosen])
        left &= ~chosen
    return texts


def _applies(case: str, phrases: Texts, facts: Columns, rows: np.ndarray) -> np.ndarray:
    match case:
        case "once":
            return np.asarray(facts["frequency"][rows] == 0)
        case "none":
            numbers = [facts[name][rows] for name in phrases["text"].numbers]
            return np.asarray(np.all([values == 0 for values in numbers], axis=0))
        case "overdue":
            return np.asarray(facts["days_since_last_purchase"][rows] > facts["mean_gap_days"][rows])
        case _:
            return np.ones(len(rows), dtype=bool)
