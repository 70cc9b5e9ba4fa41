"""Registration of a training run: logged to MLflow as a new version, and promoted if it is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.language import LANGUAGES, current_language, translated, translation, use_language
from features.log.transactions import TransactionLog
from features.progress import Report
from features.table.history import FEATURES
from features.temporary import temporary_folder
from training.judging.promotion import decide_promotion
from training.judging.promotion_decision import PromotionDecision
from training.judging.race import MODEL
from training.model.files import save_model
from training.model.self_check import example_table
from training.report.card import model_card
from training.report.plots import calibration_plot, gain_plot
from training.run import TrainingRun
from training.settings import TrainSettings
from training.threads import cpu_quota
from training.versions import card_file
from training.versions.registry import Registry, Version

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def register(
    run: TrainingRun,
    log: TransactionLog,
    settings: TrainSettings,
    registry: Registry,
    report: Report | None = None,
    tags: Mapping[str, str] | None = None,
) -> tuple[Version, PromotionDecision | None]:
    """Log a run to MLflow and register its model as a new version; promote it if asked to and if it is better.

    Parameters
    ----------
    run : TrainingRun
    log : TransactionLog
        The whole one.
    settings : TrainSettings
    registry : Registry
    report : callable, optional
    tags : mapping of str to str, optional
        Further tags of the run in MLflow.

    Returns
    -------
    The version, and the decision; None where the settings do not ask for promotion
    """
    report = report or (lambda step, done, total: None)
    report(translated("Logging the run"), 0, 1)
    version = _log(registry, run, log, tags or {})
    if not settings.promote:
        return version, None
    report(translated("Comparing with the champion"), 0, 1)
    decision = decide_promotion(
        registry,
        version,
        run.model,
        run.labelled,
        run.log,
        force=settings.force,
        seed=settings.seed,
        threads=settings.threads or cpu_quota(),
        beside=run.beside,
    )
    return version, decision


def _log(registry: Registry, run: TrainingRun, log: TransactionLog, tags: Mapping[str, str]) -> Version:
    pages = _cards(run, log)
    with temporary_folder() as folder:
        save_model(run.model, folder)
        for name, page in pages.items():
            (folder / name).write_text(page, encoding="utf-8")
        return registry.log_run(
            model_folder=folder,
            params=_parameters(run),
            metrics=run.model.card.test.metrics,
            tables=_tables(run),
            figures=_figures(run),
            documents={"card": run.model.card.to_dict(), card_file.FILE: pages[card_file.FILE]}
            | run.documents,
            tags={
                "log_fingerprint": log.report.fingerprint,
                "log_span": f"{log.first_day} to {log.last_day}",
            }
            | dict(tags),
            input_example=example_table(run.model),  # who can look at a version is not to see a customer
            name=f"train {run.schedule.newest}, {run.settings.horizon} days",
            description=_description(run),
            dataset=run.model.card.log.to_dict(),
        )


def _cards(run: TrainingRun, log: TransactionLog) -> dict[str, str]:
    """Return the model card by file: in the language of this run, and in the others, for later readers."""
    pages = {card_file.FILE: model_card(run, log)}
    for language in LANGUAGES:
        if language != current_language():
            with use_language(language):
                pages[card_file.file_name(language)] = model_card(run, log)
    return pages


def _description(run: TrainingRun) -> str:
    """Say in two sentences what was learnt from what, and how good it was."""
    log, test = run.model.card.log, run.model.card.test
    return translated(
        "Churn in {horizon} days from {rows:row|rows} of {customers:customer|customers}, "
        "{first:date} to {last:date}: {recipe}. On the test snapshot {snapshot:date}: AUC {auc:.4f}, "
        "log-loss {loss:.4f}; the best was {winner}.",
        horizon=run.settings.horizon,
        rows=log.rows_used,
        customers=log.customers,
        first=log.first_day,
        last=log.last_day,
        recipe=run.recipe.in_words(),
        snapshot=test.snapshot.date,
        auc=test.metrics.get("test_auc", float("nan")),
        loss=test.metrics.get("test_log_loss", float("nan")),
        winner=translation(test.winner),
    )


def _parameters(run: TrainingRun) -> dict[str, Any]:
    return {
        **run.settings.model_dump(mode="json"),
        **run.recipe.parameters(),
        "test_snapshot": str(run.schedule.test),
    }


def _tables(run: TrainingRun) -> dict[str, pd.DataFrame]:
    return {
        "race": run.test.race,
        "spend": run.test.spend,
        "spend_by_decile": run.test.deciles,
        "next_purchase": run.test.next_purchase,
        "feature_catalogue": pd.DataFrame([asdict(feature) for feature in FEATURES]),
    }


def _figures(run: TrainingRun) -> dict[str, Figure]:
    labelled = run.test.labelled
    probabilities = {MODEL: run.test.probability, "BG/NBD p0": labelled.table["p0"].to_numpy()}
    spend = labelled.outcomes["spend"].to_numpy()
    return {
        "calibration": calibration_plot(labelled.churned, probabilities),
        "gain_churners": gain_plot(labelled.churned, probabilities, "churners"),
        "gain_spend": gain_plot(spend, {MODEL: run.test.expected_spend}, "spend"),
    }
