"""Reasons: what moves a customer's churn probability, in words and with the customer's own numbers.

The churn model's log-odds are a sum of contributions (`ChurnModel.contributions`). Features that tell the same
story are summed by topic, the topics with the largest sums are named, those that raise the risk and those that
lower it alike. Topics and texts are data (``training/wording/en.toml``), so that a language is a file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

import numpy as np
import pandas as pd

FACTS = ("purchase_days", "orders_before", "spend_before")
"""Numbers a text may use besides the feature table's: see `_facts`."""


Facts = dict[str, np.ndarray]


@dataclass(frozen=True)
class Topic:
    """Features that tell one story, and how it is told."""

    features: tuple[str, ...]
    text: str
    once: str
    none: str | None


@dataclass(frozen=True)
class Wording:
    """All topics of one language."""

    raises: str
    lowers: str
    topics: dict[str, Topic]


@cache
def load_wording(language: str = "en") -> Wording:
    """Read a language's texts."""
    data = tomllib.loads((files("training") / "wording" / f"{language}.toml").read_text(encoding="utf-8"))
    topics = {
        name: Topic(
            tuple(topic["features"]), topic["text"], topic.get("once", topic["text"]), topic.get("none")
        )
        for name, topic in data["topics"].items()
    }
    return Wording(data["raises"], data["lowers"], topics)


def by_topic(contributions: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    """Sum contributions by topic; ``constant`` is left out, the same for everyone.

    Returns
    -------
    DataFrame of shape (n_customers, n_topics), log-odds
    """
    place = {name: number for number, name in enumerate(contributions.columns)}
    parts = contributions.to_numpy()
    sums = [
        parts[:, [place[name] for name in topic.features]].sum(axis=1) for topic in wording.topics.values()
    ]
    return pd.DataFrame(np.stack(sums, axis=1), columns=list(wording.topics), index=contributions.index)


def word_reasons(
    contributions: pd.DataFrame, table: pd.DataFrame, *, top: int = 3, wording: Wording | None = None
) -> list[list[str]]:
    """Name the topics that move each customer's churn probability most, the strongest first.

    Parameters
    ----------
    contributions : DataFrame of shape (n_customers, n_features + 3), from `ChurnModel.contributions`
    table : DataFrame of shape (n_customers, n_columns), the feature table
    top : int

    Returns
    -------
    list of n_customers lists of up to ``top`` texts; a topic that moves nothing is not named
    """
    wording = wording or load_wording()
    moves = by_topic(contributions, wording).to_numpy()
    facts = _facts(table)
    order = np.argsort(-np.abs(moves), axis=1, kind="stable")[:, :top]
    texts = np.full((len(table), top), "", dtype=object)
    for number, topic in enumerate(wording.topics.values()):
        rows, places = np.nonzero(order == number)
        if len(rows):
            texts[rows, places] = _texts(wording, topic, facts, rows, moves[rows, number])
    return [[text for text in row if text] for row in texts]


def _facts(table: pd.DataFrame) -> Facts:
    facts = {name: table[name].to_numpy() for name in table.columns if name != "customer_id"}
    return facts | {
        "purchase_days": facts["frequency"] + 1,
        "orders_before": facts["orders_180d"] - facts["orders_90d"],
        "spend_before": facts["spend_180d"] - facts["spend_90d"],
    }


def _texts(wording: Wording, topic: Topic, facts: Facts, rows: np.ndarray, moves: np.ndarray) -> list[str]:
    once = facts["frequency"][rows] == 0
    texts = np.full(len(rows), "", dtype=object)
    for template, chosen in ((topic.once, once), (topic.text, ~once)):
        texts[chosen] = _formatted(template, topic.none, facts, rows[chosen])
    return [
        (wording.raises if move > 0 else wording.lowers).format(text) if move and text else ""
        for text, move in zip(texts, moves, strict=True)
    ]


def _formatted(template: str, none: str | None, facts: Facts, rows: np.ndarray) -> list[str]:
    """Fill a template for every row; where a number it needs is missing, the text is empty."""
    names = list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name))
    if not names:
        return [template] * len(rows)

    def text(values: tuple[float, ...]) -> str:
        if any(value != value for value in values):
            return ""
        if none is not None and not any(values):
            return none
        return template.format(**dict(zip(names, values, strict=True)))

    return [text(values) for values in zip(*(facts[name][rows].tolist() for name in names), strict=True)]
