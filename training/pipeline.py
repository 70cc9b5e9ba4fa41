"""Retraining, from a validated log to a registered version. It reads as the data flows.

log → purchase days → labelled snapshots → recipe, chosen on rolling validation → judged once, on a test snapshot
nothing was chosen on → the same recipe refitted on every closed window → one registered version.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version as release
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.engines.duckdb import DuckDBEngine
from features.errors import ModelError
from features.log.transactions import TransactionLog
from features.progress import Report
from features.snapshot import Snapshot
from features.table.history import FEATURES, PurchaseHistory
from training.campaign.assignment import read_assignment
from training.churn.model import CHURN_FEATURES
from training.churn.recipe import Recipe, choose_recipe
from training.clv.value import ValueTerms
from training.judging.gate import Verdict, decide
from training.judging.race import MODEL, race, race_spend, winner
from training.judging.tuning_gain import Tuned, bought, tuned_parameters
from training.metrics.accuracy import decile_table, next_purchase_table
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.monitoring.reference import measure_slices, reference_of
from training.report.card import model_card
from training.report.plots import calibration_plot, gain_plot
from training.run import Test, TrainingRun
from training.settings import DEFAULT_MARGIN, TrainSettings
from training.snapshots.dataset import (
    DescribedSnapshot,
    LabelledSnapshot,
    describe_snapshot,
    labelled_snapshots,
)
from training.snapshots.exposure import left_out, without_contacted
from training.snapshots.schedule import Schedule, schedule
from training.threads import cpu_quota
from training.versions.registry import Registry, Version
from training.window.advisor import advise


def train(log: TransactionLog, settings: TrainSettings, report: Report | None = None) -> TrainingRun:
    """Train churn and value models on a log and judge them out of time.

    Parameters
    ----------
    log : TransactionLog
    settings : TrainSettings
    report : callable, optional
        Told of each step: its name, how much is done, how much there is.

    Raises
    ------
    WindowError
        If the log is too short, or the test window has not closed.
    FitError
        If nothing can be learnt: no repeat buyers, or everybody churned.
    """
    report = report or (lambda step, done, total: None)
    threads = settings.threads or cpu_quota()
    campaigns = [read_assignment(folder) for folder in settings.campaign]
    with DuckDBEngine(threads=threads) as engine, PurchaseHistory(log, engine) as history:
        advice = advise(history, limit=settings.snapshots) if settings.horizon_days is None else None
        if advice:
            settings = settings.advised(advice.horizon_days, advice.dormant_after_days)
        plan = schedule(
            log.first_day,
            log.last_day,
            settings.horizon,
            limit=settings.snapshots,
            test=Snapshot(settings.test_snapshot) if settings.test_snapshot else None,
        )
        rows = _labelled(history, plan, settings, report)
        newest = describe_snapshot(history, plan.newest, settings.horizon, model=settings.clv_model)
    labelled, rows = rows, without_contacted(rows, campaigns)
    known = [row for row in rows if row.snapshot in plan.before_test]
    test_row = next(row for row in rows if row.snapshot == plan.test)
    choice: dict[str, Any] = {
        "dormant_after_days": settings.dormancy_days,
        "seed": settings.seed,
        "threads": threads,
    }
    recipe = default = choose_recipe(known, log.first_day, **choice, report=report)
    tuning = tuned_parameters(known, settings, threads, report)
    if tuning and tuning.parameters:
        recipe = choose_recipe(known, log.first_day, **choice, tuned=tuning.parameters, report=report)
    terms = value_terms(settings, newest.table)
    report("Judging on the test snapshot", 0, 1)
    test = _judge(recipe, known, test_row, log, terms, settings, threads)
    verdict = None
    if recipe is not default:
        verdict = bought(test.probability, default, known, test_row, log.first_day, **choice)
    report("Refitting on every closed window", 0, 1)
    closed = [row for row in rows if row.snapshot in plan.closed]
    churn = recipe.fit(closed, log.first_day, **choice)
    card = _card(log, settings, plan, recipe, test, newest)
    card |= {"contacted_left_out": left_out(labelled, rows)} if campaigns else {}
    spend = recipe.fit_spend(closed, log.first_day, **choice)
    model = RetentionModel(churn, newest.clv, terms, (), card, spend)
    promised = measure_slices(test_row, test.probability, test.expected_spend, settings.dormancy_days)
    card["reference"] = reference_of(model, log, closed, newest, promised).to_dict()
    probability = churn.predict(newest.table, plan.newest)
    model = model.with_tiers(model.money(newest.table, probability)["expected_value"])
    feature_table = newest.table[["snapshot_date", "customer_id", *(f.name for f in FEATURES)]]
    tuned = Tuned(tuning, verdict) if tuning else None
    scores = model.score(feature_table)
    return TrainingRun(model, recipe, plan, test, newest, scores, rows, settings, advice, tuned)


def as_the_champion(settings: TrainSettings) -> TrainSettings:
    """Return the settings with the champion's churn window, where none was asked for and there is a champion.

    Advice may move as a log grows, and two models of different windows cannot be compared.
    """
    champion = Registry(settings.tracking_uri).current() if settings.horizon_days is None else None
    if champion is None:
        return settings
    try:
        card = Registry(settings.tracking_uri).load(champion.version).card
    except ModelError:  # of another release, or damaged: all the more reason to train its successor
        return settings
    return settings.advised(card["horizon_days"], card["dormant_after_days"])


def register(
    run: TrainingRun, log: TransactionLog, settings: TrainSettings, report: Report | None = None
) -> tuple[Version, Verdict | None]:
    """Log a run to MLflow and register its model as a new version; the gate decides whether it is promoted.

    Returns
    -------
    The version, and the gate's verdict; None where the settings do not ask for promotion
    """
    report = report or (lambda step, done, total: None)
    report("Logging the run", 0, 1)
    registry = Registry(settings.tracking_uri)
    test, churned = run.test, run.test.row.churned
    probabilities = {MODEL: test.probability, "BG/NBD p0": test.row.table["p0"].to_numpy()}
    spend = test.row.outcomes["spend"].to_numpy()
    card = model_card(run, log)
    with tempfile.TemporaryDirectory() as folder:
        save_model(run.model, Path(folder))
        (Path(folder) / "card.html").write_text(card, encoding="utf-8")
        version = registry.log_run(
            model_folder=Path(folder),
            params=run.settings.model_dump(mode="json", exclude={"tracking_uri"})
            | run.recipe.describe()
            | {"test_snapshot": str(run.schedule.test)},
            metrics={name: value for name, value in test.metrics.items() if np.isfinite(value)},
            tables={
                "race": test.race,
                "spend": test.spend,
                "spend_by_decile": test.deciles,
                "next_purchase": test.next_purchase,
                "feature_catalogue": pd.DataFrame([asdict(feature) for feature in FEATURES]),
            },
            figures={
                "calibration": calibration_plot(churned, probabilities),
                "gain_churners": gain_plot(churned, probabilities, "churners"),
                "gain_spend": gain_plot(spend, {MODEL: test.expected_spend}, "spend"),
            },
            documents={"card": run.model.card, "card.html": card} | run.findings,
            tags={
                "log_fingerprint": log.report.fingerprint,
                "log_span": f"{log.first_day} to {log.last_day}",
            },
            input_example=run.newest.table[
                ["snapshot_date", "customer_id", *(f.name for f in FEATURES)]
            ].head(5),
        )
    if not settings.promote:
        return version, None
    report("Comparing with the champion", 0, 1)
    threads = settings.threads or cpu_quota()
    verdict = decide(
        registry, version, run.model, run.rows, log, force=settings.force, seed=settings.seed, threads=threads
    )
    return version, verdict


def _labelled(
    history: PurchaseHistory, plan: Schedule, settings: TrainSettings, report: Report
) -> list[LabelledSnapshot]:
    snapshots, step = plan.snapshots, "Features and outcomes at each snapshot"
    report(step, 0, len(snapshots))
    return labelled_snapshots(
        history,
        snapshots,
        settings.horizon,
        model=settings.clv_model,
        progress=lambda s: report(step, snapshots.index(s) + 1, len(snapshots)),
    )


def _judge(
    recipe: Recipe,
    known: Sequence[LabelledSnapshot],
    test_row: LabelledSnapshot,
    log: TransactionLog,
    terms: ValueTerms,
    settings: TrainSettings,
    threads: int,
) -> Test:
    """Fit the recipe on what the test snapshot knows, predict it, and race."""
    choice = {"dormant_after_days": settings.dormancy_days, "seed": settings.seed, "threads": threads}
    churn = recipe.fit(known, log.first_day, **choice)
    spend = recipe.fit_spend(known, log.first_day, **choice)
    probability = churn.predict(test_row.table, test_row.snapshot)
    model = RetentionModel(churn, test_row.clv, terms, (), {}, spend)
    expected = model.money(test_row.table, probability)["expected_spend"]
    deciles = decile_table(
        test_row.outcomes["spend"].to_numpy(),
        expected,
        model.window_scenarios(test_row.table, probability),
        level_deviation=model.level_deviation,
    )
    results = race(known, test_row, probability, dormant_after_days=settings.dormancy_days)
    spend_results = race_spend(known, test_row, expected)
    return Test(test_row, probability, expected, results, spend_results, deciles, _next_purchase(test_row))


def _next_purchase(row: LabelledSnapshot) -> pd.DataFrame:
    quantiles = {level: row.clv.next_purchase_days(row.table, level) for level in (0.1, 0.5, 0.9)}
    days = row.outcomes["days_to_purchase"].to_numpy()
    return next_purchase_table(days, quantiles, row.window.horizon_days)


def value_terms(settings: TrainSettings, table: pd.DataFrame) -> ValueTerms:
    """Return the terms of value: the margin as given, else the log's own where it has one, else the default."""
    margin = settings.margin
    if margin is None:
        total_margin, total_spend = (
            float(table["net_margin"].sum(min_count=1)),
            float(table["net_spend"].sum()),
        )
        margin = total_margin / total_spend if total_margin > 0 and total_spend > 0 else DEFAULT_MARGIN
    return ValueTerms(
        horizon_days=settings.horizon,
        value_horizon_days=settings.value_horizon_days,
        margin=margin,
        discount_rate=settings.discount_rate,
    )


def _card(
    log: TransactionLog,
    settings: TrainSettings,
    plan: Schedule,
    recipe: Recipe,
    test: Test,
    newest: DescribedSnapshot,
) -> dict[str, Any]:
    """Write down the run: what, when, on what, how good. The metrics are the recipe's, the model is its refit."""
    finite = {name: value for name, value in test.metrics.items() if np.isfinite(value)}
    return {
        "release": release("stayworth"),
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "snapshot_date": plan.newest.date.isoformat(),
        "horizon_days": settings.horizon,
        "value_horizon_days": settings.value_horizon_days,
        "dormant_after_days": settings.dormancy_days,
        "log": {
            "first_day": log.first_day.isoformat(),
            "last_day": log.last_day.isoformat(),
            "rows_in": log.report.rows_in,
            "rows_used": log.report.rows_used,
            "quarantined": dict(log.report.quarantined),
            "customers": log.report.customers,
            "timezone": log.report.timezone,
            "fingerprint": log.report.fingerprint,
        },
        "snapshots": [str(snapshot) for snapshot in plan.closed],
        "snapshot_limit": settings.snapshots,
        "test": {"snapshot_date": str(plan.test), "winner": winner(test.race), "metrics": finite},
        "recipe": recipe.describe() | {"losses": recipe.losses},
        "notes": [*newest.clv.notes, *_truncation(newest.table)],
        "features": list(CHURN_FEATURES),
    }


def _truncation(table: pd.DataFrame) -> list[str]:
    """Warn of a log that begins in the middle of the business's life: its first customers are older than T says.

    Their sign is a first month with several times the newcomers of a usual month, in a business that goes on
    acquiring (a cohort that was acquired at once, as CDNOW's, is no such log).
    """
    age = table["tenure_days"].to_numpy()
    months = np.histogram(age, bins=np.arange(0, age.max() + 31, 30))[0]
    first_month, usual = (age > age.max() - 30).mean(), np.median(months) / len(age)
    if usual == 0 or first_month < 3 * usual:
        return []
    return [
        f"{first_month:.0%} of the customers first appear in the log's first 30 days, {usual:.0%} in a usual month: "
        "the log seems to begin in the middle of the business's life, and these customers are older than it "
        "says. To leave them out: --acquired-after DATE."
    ]
