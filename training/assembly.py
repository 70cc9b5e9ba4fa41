"""Assembly of the model to deploy: fitted models, training card, reference for monitoring, tier cut-offs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version as release

import numpy as np
import pandas as pd

from features.behaviour.files import BehaviourFiles
from features.language import translated, translated_in
from features.log.transactions import TransactionLog
from features.table.own import OWN_PREFIX
from training.churn.inputs import CHURN_FEATURES
from training.churn.procedure import FittedRecipe
from training.churn.recipe import Recipe
from training.clv.customer_costs import OwnCosts
from training.clv.value import ValueTerms
from training.judging.evaluation import HeldOutEvaluation
from training.judging.race import BASELINES, MODEL
from training.model.card import TrainingCard
from training.model.log_summary import LogSummary
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.monitoring.reference_builder import build_reference, measure_slices
from training.snapshots.dataset import DescribedSnapshot
from training.training_data import TrainingData

_FEW_CUSTOMERS = 30


def assemble_model(
    deployed: FittedRecipe,
    judged: Recipe,
    log: TransactionLog,
    data: TrainingData,
    newest: DescribedSnapshot,
    evaluation: HeldOutEvaluation,
    terms: ValueTerms,
    own_costs: OwnCosts | None = None,
    beside: BehaviourFiles | None = None,
) -> RetentionModel:
    """Put together the model to deploy: fitted models, training card, reference for monitoring, tier cut-offs."""
    dormant_after_days = data.settings.dormancy_days
    card = _card(log, data, newest, deployed.recipe, judged, evaluation)
    churn, usual = deployed.churn, data.usual_gap_days
    spend, kinds = deployed.spend, beside.kinds if beside else {}
    model = RetentionModel(churn, newest.clv, terms, Tiers(()), card, spend, usual, own_costs, kinds)
    tried = beside.own if beside else {}
    own = {name: sql for name, sql in tried.items() if f"{OWN_PREFIX}{name}" in model.features}
    model = replace(model, card=replace(card, features=model.features), own=own)
    test_performance = measure_slices(
        evaluation.labelled, evaluation.probability, evaluation.expected_spend, dormant_after_days
    )
    reference = build_reference(model, log, deployed.known, newest, test_performance, beside, drawn=data.log)
    model = replace(model, card=replace(card, reference=reference))
    probabilities = deployed.churn.predict_both(newest.columns, data.plan.newest)
    money = model.valuation.money(newest.columns, *probabilities)
    tiers = Tiers.fitted(money, data.settings.tiers, data.settings.shares_of_tiers)
    notes = (*model.card.notes, *no_top_tier(money[tiers.cut_by], tiers))
    return replace(model, tiers=tiers, card=replace(model.card, notes=notes))


def _card(
    log: TransactionLog,
    data: TrainingData,
    newest: DescribedSnapshot,
    recipe: Recipe,
    judged: Recipe,
    evaluation: HeldOutEvaluation,
) -> TrainingCard:
    """Return the record of the run; its metrics are of the judged fit, which knew less than the deployed one."""
    settings = data.settings
    return TrainingCard(
        release=release("stayworth"),
        trained_at=datetime.now(UTC).replace(microsecond=0),
        snapshot=data.plan.newest,
        horizon_days=settings.horizon,
        value_horizon_days=settings.value_horizon_days,
        dormant_after_days=settings.dormancy_days,
        log=LogSummary.of(log),
        snapshots=tuple(data.plan.closed),
        snapshot_limit=settings.snapshots,
        test=evaluation.summary(),
        recipe=recipe,
        judged_recipe=judged,
        notes=(*newest.clv.notes, *left_truncation(newest.table), *worse_than_the_base_rate(evaluation)),
        features=CHURN_FEATURES,
        contacted_left_out=data.contacted_left_out,
    )


def left_truncation(table: pd.DataFrame) -> list[str]:
    """Warn of a left-truncated log: the business is older than the log, and so are its first customers.

    The sign is a first month with several times the new customers of a usual month, in a business that goes on
    acquiring; a cohort acquired at once, such as CDNOW's, does not count.
    """
    age = table["tenure_days"].to_numpy()
    months = np.histogram(age, bins=np.arange(0, age.max() + 31, 30))[0]
    first_month, usual = (age > age.max() - 30).mean(), np.median(months) / len(age)
    if usual == 0 or first_month < 3 * usual or first_month * len(age) < _FEW_CUSTOMERS:
        return []
    return [
        translated(
            "{first:.0%} of the customers first appear in the log's first 30 days, {usual:.0%} in a usual month: the "
            "log seems to begin in the middle of the business's life, and these customers are older than it says. To "
            "leave them out: --acquired-after DATE.",
            first=float(first_month),
            usual=float(usual),
        )
    ]


def no_top_tier(values: np.ndarray, tiers: Tiers) -> list[str]:
    """Say that nothing sets customers apart."""
    if values.max() >= tiers.cuts[0]:
        return []
    return [
        translated(
            "The highest expected value is that of {share:.0%} of the customers: nothing sets any above the others, "
            "and none has the tier {tier}.",
            share=float(np.mean(values == values.max())),
            tier=translated_in("value", tiers.names[0]),
        )
    ]


def worse_than_the_base_rate(evaluation: HeldOutEvaluation) -> list[str]:
    """Warn of a procedure that lost to the share of churners on the test snapshot."""
    race = evaluation.race[evaluation.race["customers_slice"] == "all"].set_index("racer")["log_loss"]
    base_rate = BASELINES[0].name
    if not race[MODEL] > race[base_rate]:
        return []
    return [
        translated(
            "On the test snapshot the model did worse than the base rate, one probability for everybody (log-loss "
            "{ours:.4f} against {base:.4f}): do not rely on who is more likely to churn than whom. Use a longer log or "
            "another --horizon-days.",
            ours=float(race[MODEL]),
            base=float(race[base_rate]),
        )
    ]
