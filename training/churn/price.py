"""Price: the money per purchase, Gamma-Gamma's corrected by LightGBM.

    log price = log m + residual(features) + level

m is Gamma-Gamma's expectation. The residual is a LightGBM model with a Tweedie deviance, of what those who bought in a
window spent, and of what their purchases would have been worth at m: how often they bought is another model's
question (`training.churn.frequency`). Both are relative to their means at the snapshot, so that it explains differences
between customers and not between dates, in any unit of money. Prices have a level of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.snapshot import Snapshot
from features.table.columns import Columns
from training.churn.bins import Bins
from training.churn.booster import Booster
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.level import Level
from training.churn.model import PARAMETERS
from training.snapshots.dataset import LabelledSnapshot

TWEEDIE = PARAMETERS | {
    "objective": "tweedie",
    "tweedie_variance_power": 1.5,
    "lambda_l2": 2.0,
    "min_data_in_leaf": 100,
}
_TINY = 1e-9


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


def relative_spend(row: LabelledSnapshot) -> tuple[np.ndarray, np.ndarray]:
    """Return buyers' spend, and the log of what their purchases are worth at m, both over their mean: a target of bins.

    Refunds of earlier orders are 0. LightGBM's regularisation would weigh less against larger numbers.
    """
    spend = row.outcomes["spend"].clip(lower=0).to_numpy()
    expected = np.maximum(row.outcomes["purchases"].to_numpy() * row.columns["spend_per_purchase"], _TINY)
    return spend / (spend.mean() or 1.0), np.log(expected / expected.mean())


def tweedie_deviance(
    spend: np.ndarray, log_expected: np.ndarray, power: float = TWEEDIE["tweedie_variance_power"]
) -> np.ndarray:
    """Return LightGBM's Tweedie deviance of each row, ``e^((2−ρ)z)/(2−ρ) − y·e^((1−ρ)z)/(1−ρ)``, with ρ the power."""
    more = spend * np.exp((1 - power) * log_expected) / (1 - power)
    return np.asarray(np.exp((2 - power) * log_expected) / (2 - power) - more)


def price_missed(row: LabelledSnapshot) -> np.ndarray:
    """Return `missed_sum` of a window's money, over what those who bought were expected to pay for their purchases."""
    purchases = row.outcomes["purchases"].to_numpy()
    return missed_sum(row.outcomes["spend"].to_numpy(), purchases * row.columns["spend_per_purchase"])


def price_levels(rows: Sequence[LabelledSnapshot]) -> list[float]:
    """Return the log of the money per purchase in each window, over what was expected of those who bought."""
    return [float(price_missed(row).mean()) for row in rows]


@dataclass(frozen=True)
class Price:
    """A fitted money per purchase; by default what Gamma-Gamma says.

    Parameters
    ----------
    level : Level
        Logs of factors.
    booster : Booster or None
        The residual; None where it gained no more than noise.
    inputs : Inputs
        Of the residual.
    """

    level: Level = Level()
    booster: Booster | None = None
    inputs: Inputs = ORDERS_ALONE

    def per_purchase(self, columns: Columns, snapshot: Snapshot) -> np.ndarray:
        """Return the expected money per purchase of each customer, net of refunds, of shape (n_customers,)."""
        log_factor: np.ndarray | float = self.level.at(snapshot)
        if self.booster is not None:
            log_factor = log_factor + self.booster.raw_scores(self.inputs, columns)
        return np.asarray(columns["spend_per_purchase"] * np.exp(log_factor))


def fit_price(
    rows: Sequence[LabelledSnapshot],
    level: Level,
    *,
    rounds: int,
    seed: int,
    threads: int,
    inputs: Inputs = ORDERS_ALONE,
    bins: Bins | None = None,
) -> Price:
    """Fit the residual.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
        Of buyers alone (`training.churn.frequency.windows_of_buyers`).
    level : Level
    rounds : int
        Trees; 0 leaves Gamma-Gamma alone.
    inputs : Inputs
    bins : Bins, optional
        Which may have these snapshots already.
    """
    parameters = TWEEDIE | {"seed": seed, "num_threads": threads}
    return Price(level, (bins or Bins()).trees(rows, relative_spend, parameters, rounds, inputs), inputs)
