"""The spend model: the expected spend of BG/NBD and Gamma-Gamma, corrected by LightGBM.

    log E[spend] = log(E[purchases]·m) + residual(features)

The same form as the churn model's, for the money of the churn window: the residual is a LightGBM model with a
Tweedie deviance, of spend and expectation relative to their means at the snapshot, so that it explains differences
between customers and not between dates, in any unit of money. What it would add to everybody together at the snapshot
to predict at is taken out: no window has taught it that. The level of a date comes from the churn model, whose level
moves the purchases, and from the money per purchase, which has a level of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from features.table.columns import Columns, rows_of
from training.churn.base import AS_SAID, Base, base_log_odds
from training.churn.bins import Bins
from training.churn.booster import Booster
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.level import Level, purchases_at_level, unsurprised
from training.churn.model import PARAMETERS
from training.clv.uncertainty import sum_deviation
from training.snapshots.dataset import LabelledSnapshot

TWEEDIE = PARAMETERS | {"objective": "tweedie", "tweedie_variance_power": 1.2, "lambda_l2": 2.0}
_TINY = 1e-9
_OPEN = 1e12  # a variance that leaves everything open
_SAMPLE = 2_000  # customers: more do not change how far the parameters' doubt moves the sum of all


def base_log_spend(columns: Columns) -> np.ndarray:
    """Return the log of BG/NBD's and Gamma-Gamma's expected spend in the window, of shape (n_customers,)."""
    spend = columns["expected_purchases"] * columns["spend_per_purchase"]
    return np.asarray(np.log(np.maximum(spend, _TINY)))


def missed_sum(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return each customer's part of the log of an actual sum over an expected one.

    Returns
    -------
    ndarray of shape (n_customers,)
        ``ln f + n·(a − f·e)/Σa``, f = Σa/Σe: their mean is ln f, their standard error that of ln f (the influence
        function of a ratio). 0 where a sum is not positive.
    """
    total, said = float(actual.sum()), float(expected.sum())
    if total <= 0 or said <= 0:
        return np.zeros(len(actual))
    factor = total / said
    return np.asarray(np.log(factor) + len(actual) * (actual - factor * expected) / total)


def any_spend(rows: Sequence[LabelledSnapshot]) -> bool:
    """Tell whether anything was spent in the windows; without, as in a log of free events, there is no residual."""
    return any((row.outcomes["spend"] > 0).any() for row in rows)


def relative_spend(row: LabelledSnapshot) -> tuple[np.ndarray, np.ndarray]:
    """Return a window's spend and the log of what was expected, both over their mean; refunds of earlier orders are 0.

    So a residual explains differences between customers and not between windows, and is the same in any unit of money:
    LightGBM's regularisation would weigh less against larger numbers.
    """
    spend, expected = row.outcomes["spend"].clip(lower=0).to_numpy(), np.exp(base_log_spend(row.columns))
    return spend / (spend.mean() or 1.0), np.log(expected / expected.mean())


def tweedie_deviance(spend: np.ndarray, log_expected: np.ndarray) -> np.ndarray:
    """Return LightGBM's Tweedie deviance of each row, ``e^((2−ρ)z)/(2−ρ) − y·e^((1−ρ)z)/(1−ρ)``."""
    power = TWEEDIE["tweedie_variance_power"]
    more = spend * np.exp((1 - power) * log_expected) / (1 - power)
    return np.asarray(np.exp((2 - power) * log_expected) / (2 - power) - more)


def centred_deviance(spend: np.ndarray, log_expected: np.ndarray) -> np.ndarray:
    """Return `tweedie_deviance` of relative spend with expectations whose mean is 1, as `SpendModel.centred` has it."""
    return tweedie_deviance(spend, log_expected - np.log(np.mean(np.exp(log_expected))))


@dataclass(frozen=True)
class SpendModel:
    """A fitted spend model.

    Parameters
    ----------
    booster : Booster or None
        The residual; None where BG/NBD and Gamma-Gamma alone were better out of time.
    price_level : Level
        Of the money per purchase: logs of factors.
    level_deviation : float, at least 0
        Standard deviation of the log of a closed window's spend against its expectation, beyond chance and parameters.
    inputs : Inputs
        Of the residual.
    common : float
        The log of the factor by which the residual would change the sum over all customers (`centred`).
    """

    booster: Booster | None
    price_level: Level
    level_deviation: float = 0.0
    inputs: Inputs = ORDERS_ALONE
    common: float = 0.0

    def expected_spend(self, columns: Columns) -> np.ndarray:
        """Return each customer's expected spend in a churn window at the purchase model's own level, net of refunds.

        Parameters
        ----------
        columns : Columns
            Of the feature table, and those of `CLVModel.predict`.

        Returns
        -------
        ndarray of shape (n_customers,), money
        """
        log_spend = base_log_spend(columns)
        if self.booster is not None:
            log_spend = log_spend + self.booster.raw_scores(self.inputs, columns) - self.common
        return np.asarray(np.exp(log_spend))

    def centred(self, columns: Columns, churn_probability: np.ndarray | None = None) -> SpendModel:
        """Return the model with a residual that leaves the sum of these customers' expected spend as it is.

        Parameters
        ----------
        columns : Columns
            Of all customers at the snapshot to predict at, as in `expected_spend`.
        churn_probability : ndarray of shape (n_customers,), optional
            At level 0, where it and not p0 says how many buy.
        """
        if self.booster is None:
            return self
        moved = float(self.expected_spend(columns).sum()) * np.exp(self.common)
        whole = np.exp(base_log_spend(columns))
        if churn_probability is not None:
            whole = (1 - churn_probability) * spend_if_active(columns)
        return replace(self, common=float(np.log(moved / whole.sum())))


def spend_if_active(columns: Columns) -> np.ndarray:
    """Return BG/NBD's and Gamma-Gamma's expected spend in the window of each customer, should they buy."""
    return np.asarray(np.exp(base_log_spend(columns)) / expit(-base_log_odds(columns)))


def price_missed(row: LabelledSnapshot, per_buyer: bool = False) -> np.ndarray:
    """Return `missed_sum` of a window's money, over what those who bought were expected to pay for their purchases.

    With ``per_buyer``, over what they were expected to spend: where the purchase model does not fit its customers, how
    often those buy who buy at all is off as well.
    """
    purchases = row.outcomes["purchases"].to_numpy()
    bought = purchases * row.columns["spend_per_purchase"]
    if per_buyer:
        bought = (purchases > 0) * spend_if_active(row.columns)
    return missed_sum(row.outcomes["spend"].to_numpy(), bought)


def price_levels(rows: Sequence[LabelledSnapshot], per_buyer: bool = False) -> list[float]:
    """Return the log of the money per purchase in each window, over what was expected of those who bought."""
    return [float(price_missed(row, per_buyer).mean()) for row in rows]


def level_deviation(
    rows: Sequence[LabelledSnapshot], churn_level: Level, price_level: Level, base: Base = AS_SAID
) -> float:
    """Return the standard deviation of the log of whole windows' spend over what was expected before they opened.

    It is what windows missed beyond what their customers leave to chance, which is no uncertainty of an expectation,
    and beyond what the parameters of the purchase models left open, each fitted on what its snapshot saw: those of
    today have axes of their own in every interval. 0 if that is all. Windows at which the log was too short for the
    season, trend or steps of the purchase model do not count, nor those that a step surprised (`unsurprised`).

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    churn_level, price_level : Level
        Of these windows; each window is predicted from those that had closed by its snapshot.
    base : Base
        Over which the level of churn was measured.
    """
    founded = [row for row in unsurprised(rows) if row.clv.intensity.is_founded] or rows
    squares, chance, by_parameters = np.zeros((3, len(founded)))
    for place, row in enumerate(founded):
        shift, factor = (
            level.known_at(rows, row.snapshot).at(row.snapshot) for level in (churn_level, price_level)
        )
        columns, odds = row.columns, base.log_odds(row.columns)
        buying = expit(-base_log_odds(columns))
        if_active = columns["expected_purchases"] / buying
        more = expit(-(odds + shift)) / buying * purchases_at_level(if_active, shift) / if_active
        expected = np.exp(base_log_spend(columns) + factor) * more
        missed = missed_sum(row.outcomes["spend"].to_numpy(), expected)
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


def fit_spend(
    rows: Sequence[LabelledSnapshot],
    *,
    rounds: int,
    price_level: Level,
    level_deviation: float,
    seed: int,
    threads: int,
    inputs: Inputs = ORDERS_ALONE,
    bins: Bins | None = None,
) -> SpendModel:
    """Fit the residual on labelled snapshots, all closed by the date to predict at.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    rounds : int
        Trees; 0 leaves BG/NBD and Gamma-Gamma alone.
    inputs : Inputs
    bins : Bins, optional
        Which may have these snapshots already.
    """
    booster = None
    if rounds:
        import lightgbm as lgb

        parameters = TWEEDIE | {"seed": seed, "num_threads": threads}
        data = (bins or Bins()).of(rows, relative_spend, parameters, inputs)
        booster = Booster(lgb.train(parameters, data, num_boost_round=rounds).model_to_string())
    return SpendModel(booster, price_level, level_deviation, inputs)
