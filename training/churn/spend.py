"""The spend model: the expected spend of BG/NBD and Gamma-Gamma, corrected by LightGBM.

    log E[spend] = log(E[purchases]·m) + residual(features) + season

The same form as the churn model's, for the money of the churn window: the residual is a LightGBM model with a
Tweedie deviance, started from BG/NBD's expectation times the snapshot's own factor, so that it explains
differences between customers and not between dates; the season's factor is put back for the date asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from features.snapshot import Snapshot
from features.table.columns import Columns
from training.churn.model import CHURN_FEATURES, PARAMETERS, boosted, matrix, stacked
from training.churn.season import Season
from training.snapshots.dataset import LabelledSnapshot

TWEEDIE = PARAMETERS | {"objective": "tweedie", "tweedie_variance_power": 1.2}
_TINY = 1e-9
_ENOUGH_SEASONS = 3


def base_log_spend(columns: Columns) -> np.ndarray:
    """Return the log of BG/NBD's and Gamma-Gamma's expected spend in the window, of shape (n_customers,)."""
    spend = columns["expected_purchases"] * columns["spend_per_purchase"]
    return np.asarray(np.log(np.maximum(spend, _TINY)))


def factor_of(log_spend: np.ndarray, spend: np.ndarray) -> float:
    """Return the log of actual over expected total; 0 where a total is not positive."""
    expected, actual = float(np.exp(log_spend).sum()), float(spend.sum())
    return float(np.log(actual / expected)) if actual > 0 and expected > 0 else 0.0


def any_spend(rows: Sequence[LabelledSnapshot]) -> bool:
    """Tell whether anything was spent in the windows; without, as in a log of free events, there is no residual."""
    return any((row.outcomes["spend"] > 0).any() for row in rows)


def spend_data(rows: Sequence[LabelledSnapshot], reference: lgb.Dataset | None = None) -> lgb.Dataset:
    """Stack labelled snapshots; a window's spend below zero (refunds of earlier orders) counts as none."""
    base = [base_log_spend(row.columns) for row in rows]
    start = [z + factor_of(z, row.outcomes["spend"].to_numpy()) for z, row in zip(base, rows, strict=True)]
    return lgb.Dataset(
        stacked(rows),
        np.concatenate([row.outcomes["spend"].clip(lower=0).to_numpy() for row in rows]),
        init_score=np.concatenate(start),
        feature_name=list(CHURN_FEATURES),
        params={"max_bin": PARAMETERS["max_bin"], "verbose": -1},
        reference=reference,
        free_raw_data=False,
    )


@dataclass(frozen=True)
class SpendModel:
    """A fitted spend model.

    Parameters
    ----------
    booster : lightgbm.Booster or None
        The residual; None where BG/NBD and Gamma-Gamma alone were better out of time.
    season : Season
        Its intercepts are logs of factors.
    level_deviation : float, at least 0
        Standard deviation of the log of a closed window's spend against its expectation.
    """

    booster: lgb.Booster | None
    season: Season
    level_deviation: float = 0.0

    def expected_spend(self, columns: Columns, snapshot: Snapshot) -> np.ndarray:
        """Return each customer's expected spend in the churn window, net of refunds.

        Parameters
        ----------
        columns : Columns
            Of the feature table, and those of `CLVModel.predict`.
        snapshot : Snapshot
            The date of the table.

        Returns
        -------
        ndarray of shape (n_customers,), money
        """
        log_spend = base_log_spend(columns) + self.season.intercept(snapshot)
        if self.booster is not None:
            log_spend = log_spend + boosted(self.booster, matrix(columns))
        return np.asarray(np.exp(log_spend))


def level_deviation(rows: Sequence[LabelledSnapshot], own: Sequence[float], season: Season) -> float:
    """Return the standard deviation of the windows' factors, less the season's where enough windows had one.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    own : sequence of float, the log of each window's factor
    season : Season
    """
    seasons = np.array([season.intercept(row.snapshot) for row in rows])
    left = np.array(own)
    if np.count_nonzero(seasons) >= _ENOUGH_SEASONS:
        left = (left - seasons)[seasons != 0]
    return float(np.sqrt((left * left).mean()))


def fit_spend(
    rows: Sequence[LabelledSnapshot],
    *,
    rounds: int,
    season: Season,
    level_deviation: float,
    seed: int,
    threads: int,
) -> SpendModel:
    """Fit the residual on labelled snapshots, all closed by the date to predict at.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    rounds : int
        Trees; 0 leaves BG/NBD and Gamma-Gamma alone.
    """
    booster = None
    if rounds:
        parameters = TWEEDIE | {"seed": seed, "num_threads": threads}
        booster = lgb.train(parameters, spend_data(rows), num_boost_round=rounds)
    return SpendModel(booster, season, level_deviation)
