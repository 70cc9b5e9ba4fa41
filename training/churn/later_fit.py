"""The lines of later purchases, fitted where a whole value horizon has closed.

For customers who were silent in a churn window, and for those who bought in it, what the purchase model of that day
said of their later purchases is compared with what came until the value horizon's end. A line takes the place of the
model's word only if it is surely nearer to what came, and is so at every snapshot, that of the same day a year before
among them: where horizons differ in season, what one missed is no news of the next. Such horizons overlap, and show the
same customers in the same years, so that

- the purchase model's word counts beside them: `DOUBT` of a horizon, by which a business differs from one year to the
  next, and `FEW` purchases, which chance may have made of a handful of customers;
- of horizons of a year that open in the course of half a year, one and a half count.

References
----------
Gourieroux, Monfort, Trognon (1984), Pseudo maximum likelihood methods, Econometrica 52(3): a mean that is fitted by
Poisson's likelihood is right whatever the distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.churn.fit_options import FitOptions
from training.churn.frequency import fit_weight, log_missed, poisson_deviance
from training.churn.level import unsurprised
from training.churn.rolling import errors_for, gain_and_error
from training.clv.later_purchases import AS_TOLD, LEAST, LaterPurchases, Line
from training.clv.value import ValueTerms
from training.snapshots.dataset import LabelledSnapshot, ValueHorizon

DOUBT = 0.25
"""Of a value horizon, .2²/.4²: years of a business differ by a factor of e^.2, businesses from their model by e^.4."""

FEW = 6.0
"""Purchases, 1/.4²: the shape of a gamma distribution with mean 1 that differs as businesses do."""

LEAST_GAIN = 0.005
"""Of the deviance per purchase, that is worth another model's word."""


@dataclass(frozen=True)
class Horizon:
    """A closed value horizon: what the purchase model said of some customers' later purchases, and what came.

    Parameters
    ----------
    log_said : ndarray of shape (n_customers,)
    came : ndarray of shape (n_customers,), purchases
    """

    log_said: np.ndarray
    came: np.ndarray

    @classmethod
    def of(cls, said: np.ndarray, came: np.ndarray, keep: np.ndarray) -> Horizon:
        """Keep some of the customers."""
        return cls(np.log(np.maximum(said[keep], LEAST)), came[keep])

    @property
    def as_said(self) -> Horizon:
        """The same, had the purchase model been right."""
        return Horizon(self.log_said, np.exp(self.log_said))

    @property
    def dispersion(self) -> float:
        """Variance of the purchases that came over that of Poisson's, at the horizon's own level; at least 1."""
        said = np.exp(self.log_said + log_missed(self.log_said, self.came))
        return max(1.0, float(((self.came - said) ** 2).sum() / said.sum()))

    def log_missed(self, weight: float) -> float:
        """Return the log of what came over what a line of a weight says, with `FEW` purchases as said."""
        said = np.exp(weight * self.log_said)
        scale = np.exp(log_missed(weight * self.log_said, np.exp(self.log_said)))
        total, dispersion = float(said.sum() * scale), self.dispersion
        few = float(np.log((self.came.sum() / dispersion + FEW) / (total / dispersion + FEW)))
        return few + float(np.log(scale))

    def gained(self, line: Line) -> np.ndarray:
        """Return by how much each customer's deviance is lower by a line."""
        own = line.constant + line.weight * self.log_said
        return np.asarray(poisson_deviance(self.came, self.log_said) - poisson_deviance(self.came, own))


def fit_later(rows: Sequence[LabelledSnapshot], options: FitOptions) -> LaterPurchases:
    """Return the lines of later purchases; as told where no value horizon has closed, or a line gains nothing surely.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first
    options : FitOptions
    """
    closed = closed_horizons(rows, options)
    if not closed:
        return AS_TOLD
    (newest, year), oldest = closed[-1], closed[0][0]
    count = 1.0 + (newest.snapshot.date - oldest.snapshot.date).days / year.window.horizon_days
    said = [_told(row, year) for row, year in closed]

    def line(case: int) -> Line:
        """Fit the line of those who stayed (0) or churned (1)."""
        horizons = [
            Horizon.of(each[case], year.later_purchases, keep)
            for each, (row, year) in zip(said, closed, strict=True)
            if (keep := row.churned == case).any()
        ]
        return fit_later_line(horizons, min(count, len(horizons))) if horizons else Line()

    return LaterPurchases(active=line(0), silent=line(1))


def closed_horizons(
    rows: Sequence[LabelledSnapshot], options: FitOptions
) -> list[tuple[LabelledSnapshot, ValueHorizon]]:
    """Return the snapshots whose value horizons have closed and tell of the purchase model of today, each with its own.

    The log had seen as many days as it was to look ahead, and enough for the season or trend of the purchase model:
    where it begins in the middle of a business's life, its customers only look new, and the model of that day says
    other things of them than that of today. And no step came in between.
    """
    return [
        (row, row.year)
        for row in unsurprised(rows, value_horizons=True)
        if row.year is not None
        and row.clv.intensity.is_founded
        and (row.snapshot.date - options.first_order).days >= row.year.window.horizon_days
    ]


def _told(row: LabelledSnapshot, year: ValueHorizon) -> tuple[np.ndarray, np.ndarray]:
    """Return the later purchases that the purchase model expects of a customer who buys, and of one who is silent."""
    terms = ValueTerms(
        horizon_days=row.window.horizon_days,
        value_horizon_days=year.window.horizon_days,
        discount_rate=0.0,
    )
    values = row.clv.values(row.columns, terms)
    return values.active - row.columns["purchases_if_active"], values.silent


def fit_later_line(horizons: Sequence[Horizon], count: float) -> Line:
    """Return the line of one case.

    Parameters
    ----------
    horizons : sequence of Horizon, oldest first
    count : float, at least 1
        As how many they count, for they overlap.

    Examples
    --------
    Of 2,000 customers of whom a purchase is expected, nobody makes one; or it is as expected:

    >>> said = np.zeros(2000)
    >>> fit_later_line([Horizon(said, said)], 1.0).factor(np.array([1.0])).round(3)
    array([0.01])
    >>> fit_later_line([Horizon(said, np.ones(2000))], 1.0)
    Line(weight=1.0, constant=0.0)
    """
    newest, share = horizons[-1], count / len(horizons)
    came = np.mean([each.came.sum() for each in horizons])
    word = DOUBT + FEW * newest.dispersion / max(came, 1.0)
    weight = fit_weight(
        [(each.log_said, each.came, share) for each in horizons]
        + [(newest.log_said, newest.as_said.came, word)]
    )
    missed = share * sum(each.log_missed(weight) for each in horizons)
    of_word = log_missed(weight * newest.log_said, newest.as_said.came)
    line = Line(weight, (missed + DOUBT * of_word) / (count + DOUBT))
    gained = [each.gained(line) for each in horizons]
    gain, error = gain_and_error(gained)
    per_purchase = gain * len(newest.came) / max(came, 1.0)
    everywhere = min(each.mean() for each in gained) > 0
    surely = everywhere and gain > errors_for(2) * error and per_purchase > LEAST_GAIN
    return line if surely else Line()
