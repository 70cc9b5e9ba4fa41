"""The spend model: who buys, how often, and for how much.

    E[spend] = (1 − p)·frequency·price

p is the churn model's, the frequency that of those who buy (`training.churn.frequency`), the price what they pay for
one purchase (`training.churn.price`). Each part has its own residual and its own level, and is judged on what it is
about: no error of one is made good by another, in a total that comes true and is made of wrong parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from features.table.columns import rows_of
from training.churn.base import AS_SAID, Base
from training.churn.frequency import Frequency
from training.churn.level import Level, unsurprised
from training.churn.price import Price, missed_sum
from training.clv.later_purchases import AS_TOLD, LaterPurchases
from training.clv.uncertainty import sum_deviation
from training.snapshots.dataset import LabelledSnapshot

_TINY = 1e-9
_OPEN = 1e12  # a variance that leaves everything open
_SAMPLE = 2_000  # customers: more do not change how far the parameters' doubt moves the sum of all


@dataclass(frozen=True)
class SpendModel:
    """A fitted spend model; by default the purchase model and Gamma-Gamma.

    Parameters
    ----------
    frequency : Frequency
    price : Price
    level_deviation : float, at least 0
        Standard deviation of the log of a closed window's spend against its expectation, beyond chance and parameters.
    later : LaterPurchases
        What closed value horizons make of the purchase model's word on purchases after the churn window.
    """

    frequency: Frequency = Frequency()
    price: Price = Price()
    level_deviation: float = 0.0
    later: LaterPurchases = AS_TOLD


def level_deviation(
    rows: Sequence[LabelledSnapshot],
    churn_level: Level,
    spend: SpendModel,
    base: Base = AS_SAID,
) -> float:
    """Return the standard deviation of the log of whole windows' spend over what was expected before they opened.

    It is what windows missed beyond what their customers leave to chance, which is no uncertainty of an expectation,
    and beyond what the parameters of the purchase models left open, each fitted on what its snapshot saw: those of
    today have axes of their own in every interval. 0 if that is all. Windows at which the log was too short for the
    season, trend or steps of the purchase model do not count, nor those that a step surprised (`unsurprised`).

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    churn_level : Level
        Of these windows, as that of prices; each window is predicted from those that had closed by its snapshot.
    spend : SpendModel
        Its lines and levels count, for residuals have seen these windows.
    base : Base
        Over which the level of churn was measured.
    """
    founded = [row for row in unsurprised(rows) if row.clv.intensity.is_founded] or rows
    line = replace(spend.frequency, booster=None)
    squares, chance, by_parameters = np.zeros((3, len(founded)))
    for place, row in enumerate(founded):
        shift, factor = (
            level.known_at(rows, row.snapshot).at(row.snapshot) for level in (churn_level, spend.price.level)
        )
        columns = row.columns
        bought = expit(-(base.log_odds(columns) + shift)) * line.if_active(columns, shift)
        missed = missed_sum(
            row.outcomes["spend"].to_numpy(), bought * columns["spend_per_purchase"] * np.exp(factor)
        )
        some = rows_of(columns, slice(None, None, -(-len(missed) // _SAMPLE)))
        squares[place], chance[place] = missed.mean() ** 2, missed.var() / len(missed)
        by_parameters[place] = sum_deviation(row.clv, some, row.window.horizon_days) ** 2
    return float(np.sqrt(variance_beyond(squares, chance, by_parameters)))


def variance_beyond(squares: np.ndarray, chance: np.ndarray, by_parameters: np.ndarray) -> float:
    """Return the mean of squares less the variances that explain them, at least 0.

    A window counts the less, the more its parameters leave open: a fit that tells nothing is not to hide what others
    missed. What chance may have done is no weight, for it is estimated on the spend that came, and small where little
    came.

    Parameters
    ----------
    squares, chance, by_parameters : ndarrays of shape (n_windows,)
        The last perhaps infinite.

    Examples
    --------
    >>> round(variance_beyond(np.array([4.0, 2.0]), np.array([0.5, 0.5]), np.array([0.0, 0.0])), 4)
    2.5
    >>> round(variance_beyond(np.array([4.0, 2.0, 0.0]), np.full(3, 0.5), np.array([0.0, 0.0, np.inf])), 4)
    2.5
    """
    by_parameters = np.nan_to_num(by_parameters, nan=_OPEN, posinf=_OPEN)
    weights = 1.0 / np.maximum(squares.mean() + by_parameters, _TINY) ** 2
    return max(float(weights @ (squares - chance - by_parameters) / weights.sum()), 0.0)
