"""Purchase frequency: how often those buy in the churn window who buy in it.

    E[purchases | at least one] = 1 + exp(constant + weight·log m + residual(features) − share·level)

m is what the purchase model expects beyond the first purchase. Where customers keep another clock than it assumes
(weekly shoppers, subscribers, courses of treatment), it is off for all who buy, and the line in log m that closed
windows fit best takes its place; the residual is a LightGBM model of what still sets customers apart. So purchases are
right as numbers of purchases, and money per purchase is what people pay.

A window is above its expectation because more customers buy, because those who do buy more often, or both. The level of
churn says the first; how far the second follows is learnt of closed windows, and half way where they tell nothing.

References
----------
Ehrenberg (1959), The pattern of consumer purchases, Applied Statistics 8(1): penetration × purchase frequency.
Gourieroux, Monfort, Trognon (1984), Pseudo maximum likelihood methods, Econometrica 52(3): a mean that is fitted by
Poisson's likelihood is right whatever the distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.table.columns import Columns
from training.churn.base import AS_SAID, Base
from training.churn.bins import Bins
from training.churn.booster import Booster
from training.churn.fit_options import FitOptions
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.level import level_of
from training.churn.model import PARAMETERS
from training.snapshots.dataset import LabelledSnapshot

POISSON = PARAMETERS | {"objective": "poisson", "lambda_l2": 5.0, "min_data_in_leaf": 100}

RATE_SHARE = 0.5
"""Share of a window's level that is customers who buy more often (1), and not only more of them who buy at all (0),
where windows tell nothing of it (`rate_share`)."""

_SHARE_DEVIATION = 0.25  # of the share, between businesses
_WINDOW_DEVIATION = 0.1  # of the log of the purchases that a window's buyers miss, whatever its level

_LARGEST_WEIGHT = 4.0
_EXACT = 1e-3  # of a weight
_LEAST = 1e-6  # purchases beyond the first


def windows_of_buyers(rows: Sequence[LabelledSnapshot]) -> list[LabelledSnapshot]:
    """Return the windows in which somebody bought, each with those who did."""
    bought = ((row, np.asarray(row.outcomes["purchases"] > 0)) for row in rows)
    return [row.part(keep) for row, keep in bought if keep.any()]


def more_than_one(row: LabelledSnapshot) -> np.ndarray:
    """Return the purchases beyond the first of those who bought."""
    return np.asarray(row.outcomes["purchases"], dtype=np.float64) - 1.0


def log_more(columns: Columns) -> np.ndarray:
    """Return log m: of the purchases beyond the first that the purchase model expects, shape (n_customers,)."""
    return np.log(np.maximum(columns["purchases_if_active"] - 1.0, _LEAST))


def log_missed(log_said: np.ndarray, came: np.ndarray) -> float:
    """Return the log of the factor by which the sum of what came is above that of what was said.

    Where nothing came, half a purchase did: that little may be chance.
    """
    return float(np.log(max(came.sum(), 0.5) / np.exp(log_said).sum()))


def poisson_deviance(came: np.ndarray, log_said: np.ndarray) -> np.ndarray:
    """Return LightGBM's Poisson deviance of each row, ``e^z − y·z``."""
    return np.asarray(np.exp(log_said) - came * log_said)


def fit_weight(windows: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> float:
    """Return the weight of a line in the log of what was said that windows fit best, each at a level of its own.

    Parameters
    ----------
    windows : sequence of triples
        The log of what was said, what came, both ndarrays of shape (n_customers,), and how much the window counts.
    """
    from scipy.optimize import minimize_scalar

    def loss(weight: float) -> float:
        lines = [(weight * said, came, share) for said, came, share in windows]
        return sum(
            share * float(poisson_deviance(came, z + log_missed(z, came)).mean()) for z, came, share in lines
        )

    found = minimize_scalar(loss, bounds=(0.0, _LARGEST_WEIGHT), method="bounded", options={"xatol": _EXACT})
    return float(found.x)


@dataclass(frozen=True)
class Frequency:
    """A fitted purchase frequency; by default what the purchase model says.

    Parameters
    ----------
    weight : float, at least 0
    constant : float
    booster : Booster or None
        The residual; None where it gained no more than noise.
    inputs : Inputs
        Of the residual.
    rate_share : float, in [0, 1]

    Examples
    --------
    >>> said = {"purchases_if_active": np.array([3.0, 1.5])}
    >>> Frequency().if_active(said)
    array([3. , 1.5])
    >>> Frequency().if_active(said, -np.log(4.0))  # 1 + 2·√4
    array([5., 2.])
    >>> Frequency(weight=0.0, constant=np.log(6.0)).if_active(said).round(3)
    array([7., 7.])
    """

    weight: float = 1.0
    constant: float = 0.0
    booster: Booster | None = None
    inputs: Inputs = ORDERS_ALONE
    rate_share: float = RATE_SHARE

    def log_line(self, columns: Columns) -> np.ndarray:
        """Return ``constant + weight·log m``, of shape (n_customers,)."""
        return self.constant + self.weight * log_more(columns)

    def if_active(self, columns: Columns, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """Return E[purchases in the churn window | at least one] of each customer.

        Were a customer's purchases geometric (Poisson, at a rate that is exponential over customers), the odds of a
        purchase were its mean m, and E[purchases | at least one] = 1 + m. A shift of churn's log-odds by l multiplies
        m by e^(−l) if it is a change of everybody's rate, and leaves 1 + m alone if it only is a change of how many
        buy at all. Windows lie between the two: the share is of the first.

        Parameters
        ----------
        columns : Columns
            Of the feature table, and those of `CLVModel.predict`.
        shift : float or ndarray of shape (n_customers,), log-odds of churn
            The level of the window.

        Returns
        -------
        ndarray of shape (n_customers,), at least 1
        """
        more = self.log_line(columns)
        if self.booster is not None:
            more = more + self.booster.raw_scores(self.inputs, columns)
        return np.asarray(1.0 + np.exp(more - self.rate_share * np.asarray(shift)))

    def target(self, row: LabelledSnapshot) -> tuple[np.ndarray, np.ndarray]:
        """Return what buyers bought beyond once, and the line at their window's own level: a `Target` of bins."""
        came, said = more_than_one(row), self.log_line(row.columns)
        return came, said + log_missed(said, came)

    def to_dict(self) -> dict[str, float]:
        """Return the numbers of the line, ready for JSON."""
        return {"weight": self.weight, "constant": self.constant, "rate_share": self.rate_share}


def fit_line(rows: Sequence[LabelledSnapshot], options: FitOptions, base: Base = AS_SAID) -> Frequency:
    """Return the line in log m that closed windows fit best, each at a level of its own.

    What the purchase model says counts as one window more: of few, the line is not made of their chance. The constant
    is the mean over the windows that `training.churn.level.level_of` keeps, or of all where it keeps none, of what they
    missed beyond what follows from their level of churn (`rate_share`).

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, closed windows
    options : FitOptions
    base : Base
        Over which the level of churn is measured.
    """
    bought = windows_of_buyers(rows)
    if not bought:
        return Frequency()
    pairs = [(log_more(each.columns), more_than_one(each)) for each in bought]
    said, levels = pairs[-1][0], {row.snapshot: base.missed(row) for row in rows}

    weight = fit_weight([(z, came, 1.0) for z, came in [*pairs, (said, np.exp(said))]])
    missed = [log_missed(weight * z, came) for z, came in pairs]
    telling = level_of(bought, missed, options).days
    days = [row.snapshot.date.toordinal() for row in bought]
    kept = [
        (day, levels[row.snapshot], each)
        for day, row, each in zip(days, bought, missed, strict=True)
        if day in telling or not telling
    ]
    share = rate_share(*zip(*kept, strict=True), horizon_days=rows[-1].window.horizon_days)
    constants = [each + share * level for _, level, each in kept]
    constants.append(log_missed(weight * said, np.exp(said)))
    return Frequency(weight, sum(constants) / len(constants), rate_share=share)


def rate_share(
    days: Sequence[int], levels: Sequence[float], missed: Sequence[float], *, horizon_days: int
) -> float:
    """Return the share of a level by which buyers buy more often: the slope of what they missed in windows' levels.

    It is drawn to `RATE_SHARE`, as by a normal prior, the more the less levels differ. Windows that overlap count as
    many as would fit one after the other.

    Parameters
    ----------
    days : sequence of int, of the snapshots
    levels : sequence of float
        Of churn, log-odds.
    missed : sequence of float
        The log of the factor by which buyers' purchases beyond the first are above the line.
    horizon_days : int, at least 1

    Returns
    -------
    float, in [0, 1]

    Examples
    --------
    >>> year = [0, 90, 180, 270]
    >>> [round(rate_share(year, [-1, 0, 1, 0], each, horizon_days=90), 2) for each in ([1, 0, -1, 0], [0, 0, 0, 0])]
    [0.96, 0.04]
    >>> rate_share(year, [0, 0, 0, 0], [1, 0, -1, 0], horizon_days=90)
    0.5
    """
    level, more = (np.asarray(each, dtype=np.float64) - np.mean(each) for each in (levels, missed))
    apart = 1.0 + (max(days) - min(days)) / horizon_days
    counts = min(apart / len(days), 1.0)
    prior = (_WINDOW_DEVIATION / _SHARE_DEVIATION) ** 2
    slope = (prior * RATE_SHARE - counts * float(level @ more)) / (prior + counts * float(level @ level))
    return float(np.clip(slope, 0.0, 1.0))


def fit_frequency(
    rows: Sequence[LabelledSnapshot],
    line: Frequency,
    *,
    rounds: int,
    seed: int,
    threads: int,
    inputs: Inputs = ORDERS_ALONE,
    bins: Bins | None = None,
) -> Frequency:
    """Fit the residual over a line.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
        Of buyers alone (`windows_of_buyers`).
    line : Frequency
    rounds : int
        Trees; 0 leaves the line alone.
    inputs : Inputs
    bins : Bins, optional
        Which may have these snapshots already.
    """
    parameters = POISSON | {"seed": seed, "num_threads": threads}
    booster = (bins or Bins()).trees(rows, line.target, parameters, rounds, inputs)
    return replace(line, booster=booster, inputs=inputs)
