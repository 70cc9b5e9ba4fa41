"""Evaluation of the training procedure on the test snapshot, which it was neither chosen nor fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.churn.fit_options import FitOptions
from training.churn.procedure import FittedRecipe
from training.clv.later_purchases import AS_TOLD, LaterPurchases
from training.clv.value import ValueTerms
from training.judging.race import MODEL, race, race_spend, winner
from training.metrics.money import decile_table
from training.metrics.probabilities import next_purchase_table
from training.model.card import EvaluationSummary
from training.model.valuation import Valuation
from training.snapshots.dataset import LabelledSnapshot


@dataclass(frozen=True)
class HeldOutEvaluation:
    """Predictions for the test snapshot beside what happened in its churn window.

    Parameters
    ----------
    labelled : LabelledSnapshot
        The test snapshot.
    probability : ndarray of shape (n_customers,)
    expected_purchases : ndarray of shape (n_customers,), in the churn window
    spend_per_purchase : ndarray of shape (n_customers,), money
    race : DataFrame, from `training.judging.race.race`
    spend : DataFrame, from `training.judging.race.race_spend`
    deciles : DataFrame, from `training.metrics.money.decile_table`, with intervals
    next_purchase : DataFrame, from `training.metrics.probabilities.next_purchase_table`
    later : LaterPurchases
        By which the customers are valued.
    """

    labelled: LabelledSnapshot
    probability: np.ndarray
    expected_purchases: np.ndarray
    spend_per_purchase: np.ndarray
    race: pd.DataFrame
    spend: pd.DataFrame
    deciles: pd.DataFrame
    next_purchase: pd.DataFrame
    later: LaterPurchases = AS_TOLD

    @property
    def expected_spend(self) -> np.ndarray:
        """Money in the churn window, of shape (n_customers,)."""
        return np.asarray(self.expected_purchases * self.spend_per_purchase)

    @property
    def metrics(self) -> dict[str, float]:
        """The model's metrics by name, as they are logged; NaN where undefined."""
        metrics: dict[str, float] = {}
        for _, row in self.race[self.race["racer"] == MODEL].iterrows():
            part = "" if row["customers_slice"] == "all" else f"{row['customers_slice']}_"
            metrics |= {f"test_{part}{name}": float(row[name]) for name in self.race.columns[2:]}
        everybody = self.race[self.race["customers_slice"] == "all"]
        metrics["test_best_baseline_log_loss"] = float(
            everybody.loc[everybody["racer"] != MODEL, "log_loss"].min()
        )
        spend = self.spend.set_index("racer").loc[MODEL]
        metrics |= {f"test_spend_{name}": float(value) for name, value in spend.items()}
        bought = self.next_purchase.set_index("level")["bought"]
        metrics |= {
            f"test_next_purchase_{level:.0%}".rstrip("%"): float(share) for level, share in bought.items()
        }
        return metrics | {"test_spend_interval_coverage": float(self.deciles["covered"].mean())}

    def summary(self) -> EvaluationSummary:
        """Return what the training card keeps: the winner of the race, and the metrics that are defined."""
        metrics = {name: value for name, value in self.metrics.items() if np.isfinite(value)}
        return EvaluationSummary(self.labelled.snapshot, winner(self.race), metrics)


def evaluate(
    fitted: FittedRecipe,
    known: Sequence[LabelledSnapshot],
    test: LabelledSnapshot,
    terms: ValueTerms,
    options: FitOptions,
) -> HeldOutEvaluation:
    """Predict the test snapshot and compare with what happened, and with simpler models.

    Parameters
    ----------
    fitted : FittedRecipe
        Chosen and fitted on ``known``.
    known : sequence of LabelledSnapshot
        Closed by the test snapshot; the simpler models are fitted on them too, at constant purchase intensity.
    test : LabelledSnapshot
    terms : ValueTerms
    options : FitOptions
    """
    plain, test = test, fitted.describe(test, test.window.horizon_days)
    probability, at_level_0 = fitted.churn.predict_both(test.columns, test.snapshot)
    valuation = Valuation(test.clv, terms, fitted.spend, fitted.churn.base)
    purchases, spend_per_purchase = valuation.in_window(test.columns, probability, at_level_0)
    expected_spend = purchases * spend_per_purchase
    deciles = decile_table(
        test.outcomes["spend"].to_numpy(),
        expected_spend,
        valuation.window_scenarios(test.columns, probability, at_level_0),
        level_deviation=valuation.level_deviation,
    )
    return HeldOutEvaluation(
        labelled=test,
        probability=probability,
        expected_purchases=purchases,
        spend_per_purchase=spend_per_purchase,
        race=race(known, plain, probability, dormant_after_days=options.dormant_after_days),
        spend=race_spend(known, plain, expected_spend),
        deciles=deciles,
        next_purchase=_next_purchase(test, probability),
        later=valuation.later,
    )


def _next_purchase(test: LabelledSnapshot, probability: np.ndarray) -> pd.DataFrame:
    horizon_days = test.window.horizon_days
    quantiles = test.clv.next_purchase_days(test.columns, probability, horizon_days)
    return next_purchase_table(test.outcomes["days_to_purchase"].to_numpy(), quantiles, horizon_days)
