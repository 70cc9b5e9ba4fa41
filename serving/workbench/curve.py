"""The curve of profit against cost, as places on a picture that a template draws."""

from __future__ import annotations

from dataclasses import dataclass

from features.language import written
from training.campaign.alternatives import as_it_is, budget_curve
from training.campaign.plan import CampaignPlan

WIDTH, HEIGHT = 640.0, 240.0
_LEFT, _BOTTOM, _TOP, _RIGHT = 100.0, 34.0, 14.0, 22.0


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: its place and its number in words."""

    place: float
    words: str


@dataclass(frozen=True)
class Curve:
    """A line, a point on it, and the marks of the axes; places are of a picture of 640 by 240.

    ``most_cost`` is what there is to spend, money.
    """

    line: str
    point: tuple[float, float]
    across: list[Tick]
    up: list[Tick]
    most_cost: float
    left: float = _LEFT


def curve_of(plan: CampaignPlan) -> Curve | None:
    """Return the curve of a plan before its draw, without contacts made to learn; None: there is nothing to spend."""
    cost, profit = budget_curve(plan)
    itself = as_it_is(plan)
    points = sorted([*zip(cost, profit, strict=True), (itself.cost, itself.profit)])
    most_cost = max(float(cost.max()), itself.cost)
    most_profit = max(float(profit.max()), itself.profit)
    if most_cost <= 0 or most_profit <= 0:
        return None

    def across(money: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * max(money, 0.0) / most_cost

    def up(money: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * max(money, 0.0) / most_profit

    return Curve(
        " ".join(f"{across(c):.1f},{up(p):.1f}" for c, p in points),
        (round(across(itself.cost), 1), round(up(itself.profit), 1)),
        [Tick(round(across(each), 1), _money(each, most_cost)) for each in (0.0, most_cost / 2, most_cost)],
        [Tick(round(up(each), 1), _money(each, most_profit)) for each in (0.0, most_profit / 2, most_profit)],
        most_cost,
    )


def _money(amount: float, most: float) -> str:
    """Write an amount of an axis, with its fraction where the axis is short."""
    return written(amount, ",.0f" if most >= 10 else ",.2f")
