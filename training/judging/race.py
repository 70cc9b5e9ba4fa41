"""Race of the churn and spend models against simpler baselines, on the test snapshot.

Every racer is fitted on the same closed snapshots. Scores that are not probabilities (silence, P(alive), expected
purchases) get a line in the log-odds, fitted on those snapshots, so that log-loss is a fair measure for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from features.language import translatable, translated, translation
from training.churn.inputs import ORDERS_ALONE
from training.metrics.money import value_metrics
from training.metrics.probabilities import TIE, churn_metrics
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot
from training.threads import cpu_quota

MODEL = "stayworth"
"""Name of stayworth's own model in the race."""

LOG_RFM = ("frequency", "recency", "T", "days_since_last_purchase", "monetary_value", "gross_spend")


_DEFAULTS = {
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
    "num_threads": cpu_quota(),
}


@dataclass(frozen=True)
class Racer:
    """A named way to predict churn, the simpler the lower its rank.

    Parameters
    ----------
    name : str
    predict : callable
        Takes the closed snapshots and the snapshot to predict, returns probabilities of shape (n_customers,).
    """

    name: str
    predict: Callable[[Sequence[LabelledSnapshot], DescribedSnapshot], np.ndarray]


def _stack(rows: Sequence[LabelledSnapshot]) -> tuple[pd.DataFrame, np.ndarray]:
    return pd.concat([row.table for row in rows], ignore_index=True), np.concatenate(
        [row.churned for row in rows]
    )


def _base_rate(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
    return np.full(len(target.table), _stack(rows)[1].mean())


def _on_one_score(
    score: Callable[[pd.DataFrame], np.ndarray],
) -> Callable[[Sequence[LabelledSnapshot], DescribedSnapshot], np.ndarray]:
    def predict(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
        table, churned = _stack(rows)
        line = LogisticRegression(C=np.inf).fit(score(table)[:, None], churned)
        return np.asarray(line.predict_proba(score(target.table)[:, None])[:, 1])

    return predict


def _bgnbd(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
    return np.asarray(target.table["p0"])


def _log_rfm(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(np.log1p(table[list(LOG_RFM)].clip(lower=0).to_numpy(dtype=np.float64)))


def _logistic(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
    table, churned = _stack(rows)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(_log_rfm(table), churned)
    return np.asarray(model.predict_proba(_log_rfm(target.table))[:, 1])


def plain_matrix(row: DescribedSnapshot) -> np.ndarray:
    """Return what a learner reads that does not know BG/NBD's form, of shape (n_customers, n_features).

    The trees' inputs, with the age of customers, as anybody would take it, in place of the day of their first purchase:
    without an intercept for each snapshot, that day would tell the snapshots apart.
    """
    return ORDERS_ALONE.matrix({**row.columns, "first_purchase_day": row.columns["T"]})


def stacked_plain(rows: Sequence[DescribedSnapshot]) -> np.ndarray:
    """Return `plain_matrix` of several snapshots, one below the other."""
    return np.concatenate([plain_matrix(row) for row in rows])


def _lightgbm_defaults(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
    churned = np.concatenate([row.churned for row in rows])
    parameters = {
        "objective": "binary",
        "verbose": -1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
    }
    booster = lgb.train(parameters, lgb.Dataset(stacked_plain(rows), churned), num_boost_round=100)
    return np.asarray(booster.predict(plain_matrix(target)))


BASELINES: tuple[Racer, ...] = (
    Racer(translatable("base rate"), _base_rate),
    Racer(
        translatable("recency alone"),
        _on_one_score(lambda t: np.log1p(t["days_since_last_purchase"].to_numpy(float))),
    ),
    Racer(translatable("1 − P(alive)"), _on_one_score(lambda t: 1 - t["p_alive"].to_numpy())),
    Racer(
        translatable("−E[purchases]"),
        _on_one_score(lambda t: -np.log(t["expected_purchases"].to_numpy() + 1e-6)),
    ),
    Racer(translatable("BG/NBD p0"), _bgnbd),
    Racer(translatable("logistic, log RFM"), _logistic),
    Racer(translatable("LightGBM defaults"), _lightgbm_defaults),
)
"""Simplest first: on a tie the simpler one wins."""


def race(
    rows: Sequence[LabelledSnapshot],
    test: LabelledSnapshot,
    model_probability: np.ndarray,
    *,
    dormant_after_days: int,
) -> pd.DataFrame:
    """Judge the baselines and the model on the test snapshot, for all customers and for recent ones.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
        The closed snapshots that the model was trained on.
    test : LabelledSnapshot
    model_probability : ndarray of shape (n_customers,)
        The model's prediction for the test snapshot.
    dormant_after_days : int
        A customer is recent if their last purchase lies within these days.

    Returns
    -------
    DataFrame, one row per racer and slice
        ``racer``, ``customers_slice`` ("all" or "recent") and the columns of `churn_metrics`.
    """
    model = Racer(MODEL, lambda rows, target: model_probability)
    slices = {"all": np.ones(len(test.table), bool), "recent": test.recent(dormant_after_days)}
    results = []
    for racer in (*BASELINES, model):
        probability = racer.predict(rows, test)
        for name, keep in slices.items():
            metrics = churn_metrics(test.churned[keep], probability[keep])
            results.append({"racer": racer.name, "customers_slice": name} | metrics)
    return pd.DataFrame(results)


def race_spend(
    rows: Sequence[LabelledSnapshot], test: LabelledSnapshot, expected_spend: np.ndarray
) -> pd.DataFrame:
    """Judge expected spend in the test window: the model's and that of simpler value models.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
        The closed snapshots that the model was trained on.
    test : LabelledSnapshot
    expected_spend : ndarray of shape (n_customers,), money
        The model's prediction for the test snapshot.

    Returns
    -------
    DataFrame, one row per racer: ``racer`` and the columns of `value_metrics`
    """
    horizon_days = test.window.horizon_days
    predictions = {
        translatable("spend rate × horizon"): (
            test.table["net_spend"] / test.table["T"] * horizon_days
        ).to_numpy(),
        "BG/NBD + Gamma-Gamma": test.columns["expected_purchases"] * test.columns["spend_per_purchase"],
        "LightGBM Tweedie": _lightgbm_tweedie(rows, test),
        MODEL: expected_spend,
    }
    actual = test.outcomes["spend"].to_numpy()
    return pd.DataFrame([{"racer": name} | value_metrics(actual, p) for name, p in predictions.items()])


def _lightgbm_tweedie(rows: Sequence[LabelledSnapshot], target: DescribedSnapshot) -> np.ndarray:
    spend = np.concatenate([row.outcomes["spend"].clip(lower=0) for row in rows])
    if not spend.any():
        return np.zeros(len(target.table))
    booster = lgb.train({"objective": "tweedie"} | _DEFAULTS, lgb.Dataset(stacked_plain(rows), spend))
    return np.asarray(booster.predict(plain_matrix(target)))


def winner(results: pd.DataFrame, customers_slice: str = "all") -> str:
    """Return the racer with the lowest log-loss; on a tie the simpler.

    Examples
    --------
    >>> results = pd.DataFrame({"racer": ["a", "b"], "customers_slice": "all", "log_loss": [0.301, 0.300]})
    >>> winner(results)
    'a'
    """
    part = results[results["customers_slice"] == customers_slice]
    tied = part[part["log_loss"] <= part["log_loss"].min() + TIE]
    return str(tied["racer"].iloc[0])


def winners_in_words(results: pd.DataFrame) -> str:
    """Say who won the race, by what, and what that means for the version that is trained.

    Examples
    --------
    >>> race = {"racer": ["BG/NBD p0", "stayworth"], "log_loss": [0.303, 0.297]}
    >>> parts = [pd.DataFrame(race).assign(customers_slice=name) for name in ("all", "recent")]
    >>> winners_in_words(pd.concat(parts))[:75]
    'Nearest to what happened (lowest log-loss): stayworth, also among the recen'
    """
    best, recent = winner(results), winner(results, "recent")
    named, lowest = translation(best), results.loc[results["customers_slice"] == "all"].set_index("racer")
    if (first := str(lowest["log_loss"].idxmin())) == best:
        nearest = translated("Nearest to what happened (lowest log-loss): {best}", best=named)
    else:
        nearest = translated(
            "Nearest to what happened (lowest log-loss): {first}, on a tie with {best}, which is simpler and wins",
            first=translation(first),
            best=named,
        )
    if best == recent:
        nearest = translated("{nearest}, also among the recent customers.", nearest=nearest)
    else:
        nearest = translated(
            "{nearest}; among the recent customers {recent}.", nearest=nearest, recent=translation(recent)
        )
    ties = translated(
        "A difference of {tie:g} or less is a tie, which goes to the simpler, higher in the table.", tie=TIE
    )
    return f"{nearest} {ties} {_of_the_version(results, best)}"


def _of_the_version(results: pd.DataFrame, best: str) -> str:
    losses = results[results["customers_slice"] == "all"].set_index("racer")["log_loss"]
    if best == MODEL:
        return translated("The version is {model}; the others show what it adds.", model=MODEL)
    if losses[MODEL] <= losses[best] + TIE:
        sentence = translatable(
            "The version is {model} all the same: on this log {best}, which is simpler, predicts churn as well."
        )
    else:
        sentence = translatable(
            "The version is {model} all the same: on this log {best}, which is simpler, predicts churn better."
        )
    return translated(sentence, model=MODEL, best=translation(best))
