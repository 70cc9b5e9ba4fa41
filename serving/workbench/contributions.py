"""What raises and what lowers one customer's risk, in words and as bars, and what each input of the model adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from features.language import translatable, translated, written
from serving.explanation.explanation import Explanation
from serving.explanation.log_odds import Contribution, TopicSum
from training.model.retold_reasons import without_move

STRENGTHS = {
    1.0: translatable("strongly"),
    0.3: translatable("clearly"),
    0.0: translatable("slightly"),
}
"""How log-odds are told, from so much on: 1 changes the odds by a factor of 2.7, 0.3 by 1.35."""

LEAST_SHOWN = 0.02
_SHOWN_INPUTS = 15
_WHOLE_FROM = 9_999.5  # four digits of what is larger are written as a power of ten


@dataclass(frozen=True)
class Force:
    """A topic that moves the risk: what of it, how strongly, and the length of its bar, in per cent of the longest."""

    text: str
    strength: str
    length: float


@dataclass(frozen=True)
class Input:
    """What one input of the model adds to the log-odds."""

    meaning: str
    value: str
    log_odds: str


@dataclass(frozen=True)
class Why:
    """What moves one customer's risk.

    Parameters
    ----------
    groups : list of (title, kind, forces)
        For a customer at risk what raises it first, else what lowers it; empty groups are left out.
    inputs : list of Input, the largest first
    """

    groups: list[tuple[str, str, list[Force]]]
    inputs: list[Input]


def why(explanation: Explanation) -> Why:
    """Tell what moves a customer's risk.

    At risk is who is more likely than not to leave, and whom the topics together move that way.
    """
    topics = [each for each in explanation.log_odds.topics if abs(each.log_odds) >= LEAST_SHOWN and each.text]
    most = max((abs(each.log_odds) for each in topics), default=1.0)
    raises = [_force(each, most) for each in topics if each.log_odds > 0]
    lowers = [_force(each, most) for each in topics if each.log_odds < 0]
    groups = [(translated("Raises the risk"), "up", raises), (translated("Lowers the risk"), "down", lowers)]
    at_risk = explanation.log_odds.churn_probability >= 0.5 or sum(each.log_odds for each in topics) > 0
    shown = [group for group in (groups if at_risk else groups[::-1]) if group[2]]
    inputs = [_input(each) for each in explanation.log_odds.contributions[:_SHOWN_INPUTS]]
    return Why(shown, inputs)


def _force(topic: TopicSum, most: float) -> Force:
    size = abs(topic.log_odds)
    strength = next(words for least, words in STRENGTHS.items() if size >= least)
    return Force(without_move(topic.text or ""), translated(strength), 100 * size / most)


def _input(part: Contribution) -> Input:
    # NaN is a word of programmers.
    meaning = part.meaning.replace("NaN", translated("unknown"))
    return Input(meaning, _value(part.value), written(part.log_odds, "+.2f"))


def _value(value: Any) -> str:
    """Write the value of an input.

    Examples
    --------
    >>> _value(168_469.6), _value(3.14159), _value("e-mail"), _value(None)
    ('168,470', '3.142', 'e-mail', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return written(value, ",.4g" if abs(value) < _WHOLE_FROM else ",.0f")
