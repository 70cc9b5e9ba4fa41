"""The published list beside the version that scores: what is said where their numbers are not the same."""

from __future__ import annotations

from datetime import date
from typing import Any

from features.language import translated, written
from serving.workbench.orders import Known
from serving.workbench.words import money

PUBLISH = "stayworth score --transactions orders.csv --publish"
"""What brings them together, at a terminal."""


def another_version(listed: str, champion: str | None) -> str:
    """Say that the list is of another version than the champion; empty where it is not, or there is no champion."""
    if champion is None or champion == listed:
        return ""
    return translated(
        "The list is of version {listed:digits}, and version {champion:digits} scores now. Have a new one published.",
        listed=listed,
        champion=champion,
    )


def two_probabilities(score: Any, known: Known) -> str:
    """Say why a customer's page has two probabilities; empty where it has one.

    Parameters
    ----------
    score : row of the published list
    known : Known
        What the champion makes of the orders.
    """
    card = known.card
    if card.model_version != score.model_version:
        sentence = translated(
            "Two versions made the numbers of this page. The list, with a churn probability of {p:.0%}, is of version "
            "{listed:digits}; version {champion:digits} scores now, and “Why” and “Orders and rhythm” are of it: "
            "{q:.0%}.",
            listed=score.model_version,
            p=score.churn_probability,
            champion=card.model_version,
            q=card.churn_probability,
        )
        together = translated("All are of one version again once a new list is published.")
        return " ".join(filter(None, [sentence, _windows(score, known), together]))
    shown = [
        (written(each.churn_probability, ".0%"), money(each.expected_value), money(each.value_at_risk))
        for each in (score, card)
    ]
    if shown[0] == shown[1]:
        return ""
    return translated(
        "The list has a churn probability of {p:.0%}, and the same version makes {q:.0%} of the orders that the "
        "workbench was given, as in “Why” and “Orders and rhythm”: they have changed since, or the list was made with "
        "files that the workbench was not given.",
        p=score.churn_probability,
        q=card.churn_probability,
    )


def ends_before(last: date, day: date) -> str:
    """Say that the workbench's log ends before the eve of a list; empty where it does not.

    Examples
    --------
    >>> ends_before(date(2011, 8, 31), date(2011, 9, 1))
    ''
    >>> ends_before(date(2011, 8, 14), date(2011, 9, 1)).partition(":")[0]
    'The log that the workbench was given ends on 2011-08-14, and the list is of 2011-09-01'
    """
    if (day - last).days <= 1:
        return ""
    return translated(
        "The log that the workbench was given ends on {last:date}, and the list is of {day:date}: orders in between "
        "are not known here. Whoever runs the workbench can give it a newer log.",
        last=last,
        day=day,
    )


def _windows(score: Any, known: Known) -> str:
    """Say that the two are of different windows, and do not compare."""
    listed, now = score.horizon_days, known.explanation.score["horizon_days"]
    if listed is None or now is None or listed == now:
        return ""
    return translated(
        "The two probabilities do not compare: one is of {listed:day|days}, the other one of {now:day|days}.",
        listed=listed,
        now=now,
    )
