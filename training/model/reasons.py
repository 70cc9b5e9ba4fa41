"""Reasons: the largest contributions to a customer's churn probability, as texts with the customer's own numbers.

The churn model's log-odds are a sum of contributions (`ChurnModel.contributions`). Contributions of
related features are summed by topic; the topics with the largest sums are named, whether they raise or lower the
risk. Topics and texts are data (``training/model/wording/en.toml``): a language is a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

import numpy as np

from features.table.columns import Columns
from training.churn.model import CONTRIBUTIONS

FACTS = ("purchase_days", "orders_before", "spend_before")
"""Numbers that a text may use besides the feature table's columns."""


@dataclass(frozen=True)
class Topic:
    """Related features that make one reason, and its texts."""

    features: tuple[str, ...]
    text: str
    once: str
    none: str | None


@dataclass(frozen=True)
class Wording:
    """The topics and texts of one language."""

    raises: str
    lowers: str
    topics: dict[str, Topic]


@cache
def load_wording(language: str = "en") -> Wording:
    """Read a language's texts."""
    data = tomllib.loads(
        (files("training.model") / "wording" / f"{language}.toml").read_text(encoding="utf-8")
    )
    topics = {
        name: Topic(
            tuple(topic["features"]), topic["text"], topic.get("once", topic["text"]), topic.get("none")
        )
        for name, topic in data["topics"].items()
    }
    return Wording(data["raises"], data["lowers"], topics)


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
    place = {name: number for number, name in enumerate(CONTRIBUTIONS)}
    sums = [
        contributions[:, [place[name] for name in topic.features]].sum(axis=1)
        for topic in wording.topics.values()
    ]
    return np.stack(sums, axis=1)


def word_reasons(sums: np.ndarray, columns: Columns, wording: Wording, *, top: int = 3) -> np.ndarray:
    """Name the topics that move each customer's churn probability most, the strongest first.

    Parameters
    ----------
    sums : ndarray of shape (n_customers, n_topics), from `topic_sums`
    columns : Columns
        Of the feature table.
    wording : Wording
    top : int

    Returns
    -------
    ndarray of shape (n_customers,) of lists of up to ``top`` texts; a topic that moves nothing is not named
    """
    facts = _facts(columns)
    order = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :top]
    texts = np.full(order.shape, "", dtype=object)
    for number, topic in enumerate(wording.topics.values()):
        rows, places = np.nonzero(order == number)
        if len(rows):
            texts[rows, places] = _texts(wording, topic, facts, rows, sums[rows, number])
    reasons = np.empty(len(texts), dtype=object)
    reasons[:] = [[text for text in row if text] for row in texts]
    return reasons


def _facts(columns: Columns) -> Columns:
    return {
        **columns,
        "purchase_days": columns["frequency"] + 1,
        "orders_before": columns["orders_180d"] - columns["orders_90d"],
        "spend_before": columns["spend_180d"] - columns["spend_90d"],
    }


def _texts(wording: Wording, topic: Topic, facts: Columns, rows: np.ndarray, moves: np.ndarray) -> list[str]:
    once = facts["frequency"][rows] == 0
    texts = np.full(len(rows), "", dtype=object)
    for template, chosen in ((topic.once, once), (topic.text, ~once)):
        texts[chosen] = _formatted(template, topic.none, facts, rows[chosen])
    return [
        (wording.raises if move > 0 else wording.lowers).format(text) if move and text else ""
        for text, move in zip(texts, moves, strict=True)
    ]


def _formatted(template: str, none: str | None, facts: Columns, rows: np.ndarray) -> list[str]:
    """Fill a template for every row; where a number it needs is missing, the text is empty."""
    fill, names = _numbered(template)
    if not names or not len(rows):
        return [template] * len(rows)
    numbers = [facts[name][rows] for name in names]
    missing = np.any([values != values for values in numbers], axis=0).tolist()
    nothing = np.all([values == 0 for values in numbers], axis=0).tolist()
    return [
        "" if unknown else none if zero and none is not None else fill(*values)
        for unknown, zero, *values in zip(missing, nothing, *(n.tolist() for n in numbers), strict=True)
    ]


@cache
def _numbered(template: str) -> tuple[Callable[..., str], tuple[str, ...]]:
    """Return a function that fills a template with numbers by position, and the names of the numbers."""
    parts = list(Formatter().parse(template))
    names = tuple(dict.fromkeys(name for _, name, _, _ in parts if name))
    numbered = "".join(
        text.replace("{", "{{").replace("}", "}}") + (f"{{{names.index(name)}:{shape}}}" if name else "")
        for text, name, shape, _ in parts
    )
    return numbered.format, names
