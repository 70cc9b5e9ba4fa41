"""Pictures of the model card, each with a text alternative."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from features.language import translatable, translated, translated_in, written
from features.table.columns import rows_of
from training.judging.race import MODEL
from training.judging.trial_offer import TrialOffer
from training.metrics.money import decile_table
from training.model.reasons import load_wording, topic_sums
from training.report import card_plots as plots
from training.report.card_race import spend_of_model
from training.report.formats import money, number, share
from training.report.frequency_recency_grid import frequency_recency
from training.report.recipe_words import levels
from training.report.svg import inline_svg

if TYPE_CHECKING:
    from training.run import TrainingRun

P0 = "BG/NBD p0"
"""The racer drawn beside the model."""

SAMPLE = 2_000
"""Customers whose contributions make the picture of the topics."""


Picture = tuple[str, Figure, str]
"""Its name, the figure, and its text alternative."""


def pictures(run: TrainingRun, trial: TrialOffer, weeks: pd.DataFrame) -> dict[str, Markup]:
    """Draw every picture of a card.

    Parameters
    ----------
    run : TrainingRun
    trial : TrialOffer
    weeks : DataFrame, from `training.report.purchase_tracking.weekly_purchases`

    Returns
    -------
    dict of name to an ``<svg>`` element; ``level`` only where the log was old enough, those of recent customers
        only where there are any
    """
    drawn = [
        *_of_snapshots(run),
        *_of_churn(run),
        *_of_spend(run),
        *_of_profit(trial),
        *_of_purchases(run, weeks),
        *_of_inputs(run),
    ]
    return {name: inline_svg(figure, name, text) for name, figure, text in drawn}


def _of_snapshots(run: TrainingRun) -> Iterator[Picture]:
    plan, days = run.schedule, run.model.terms.horizon_days
    text = translated(
        "What {n:past snapshot|past snapshots} and the newest, {newest:date}, see of the log, and the window "
        "of {days} days after each; the test is {test:date}.",
        n=len(plan.snapshots),
        newest=plan.newest.date,
        days=days,
        test=plan.test.date,
    )
    yield "timeline", plots.timeline(plan, days, run.model.card.log), text


def _of_churn(run: TrainingRun) -> Iterator[Picture]:
    test = run.test
    churned = test.labelled.churned
    probabilities = {MODEL: test.probability, P0: test.labelled.table["p0"].to_numpy()}
    yield (
        "calibration",
        plots.calibration(churned, probabilities),
        translated("Observed against predicted churn of all customers, in ten groups."),
    )
    yield (
        "gain",
        plots.gain(churned, probabilities, translatable("churners")),
        translated(
            "Share of churners caught by the riskiest of all customers, against perfect and random order."
        ),
    )
    recent = test.labelled.recent(run.model.card.dormant_after_days)
    if not recent.any():
        return
    of_recent = {name: p[recent] for name, p in probabilities.items()}
    yield (
        "calibration-recent",
        plots.calibration(churned[recent], of_recent),
        translated("Observed against predicted churn of recent customers, in ten groups."),
    )
    yield (
        "gain-recent",
        plots.gain(churned[recent], of_recent, "churners"),
        translated("Share of churners caught by the riskiest of the recent customers."),
    )


def _of_spend(run: TrainingRun) -> Iterator[Picture]:
    test = run.test
    spend = test.labelled.outcomes["spend"].to_numpy()
    yield (
        "gain-spend",
        plots.gain(np.maximum(spend, 0), {MODEL: test.expected_spend}, translatable("spend")),
        translated(
            "Share of the spend caught by the customers of highest expected spend. The first tenth holds {share}.",
            share=share(spend_of_model(run)["top_decile_share"]),
        ),
    )
    yield (
        "deciles",
        plots.deciles(decile_table(spend, test.expected_spend)),
        translated("The table below, as bars."),
    )


def _of_profit(trial: TrialOffer) -> Iterator[Picture]:
    own = trial.lists[0]
    text = translated(
        "Profit by number of customers contacted. The model's list of {n:,} earns {money}, {share} of perfect "
        "foresight.",
        n=own.contacted,
        money=money(own.profit),
        share=share(own.share),
    )
    yield "profit", plots.profit(trial), text


def _of_purchases(run: TrainingRun, weeks: pd.DataFrame) -> Iterator[Picture]:
    yield (
        "tracking",
        plots.tracking(weeks, run.test.labelled.clv.purchases.title),
        translated("Repeat purchases by week, actual and expected, before the test snapshot and after it."),
    )
    grid = frequency_recency(run.newest.clv, run.newest.table, run.model.terms)
    yield (
        "alive",
        plots.heatmap(grid, "p_alive", translated("P(alive)")),
        translated(
            "P(alive) by repeat purchases and weeks of silence: it falls sooner, the more purchases there were."
        ),
    )
    yield (
        "value",
        plots.heatmap(grid, "expected_value", translated("expected value")),
        translated("Expected value by repeat purchases and weeks of silence."),
    )


def _of_inputs(run: TrainingRun) -> Iterator[Picture]:
    """Draw what moves the churn probability: the topics, and the levels of past windows."""
    importance = topic_importance(run)
    sizes = written([f"{name} {number(size, '.2f')}" for name, size in importance.items()])
    yield (
        "topics",
        plots.topics(importance),
        translated("Mean size of the contribution to the log-odds: {sizes}.", sizes=sizes),
    )
    if found := levels(run):
        points = {
            name: [(date.fromordinal(d), v) for d, v in zip(level.days, level.missed, strict=True)]
            for name, level in found.items()
        }
        yield (
            "level",
            plots.level(points),
            translated("How far each past window was from the purchase model."),
        )


def topic_importance(run: TrainingRun) -> pd.Series:
    """Return the mean size of each topic's contribution to the log-odds at the newest snapshot, largest first.

    Contributions take long: of a large table every n-th customer is taken, about `SAMPLE` in all.
    """
    table = run.newest.table
    sample, wording = slice(None, None, max(1, len(table) // SAMPLE)), load_wording(run.model.churn.inputs)
    sums = topic_sums(run.model.churn.contributions(rows_of(run.newest.columns, sample)), wording)
    topics = [translated_in("topic", name.replace("_", " ")) for name in wording.topics]
    return pd.DataFrame(sums, columns=topics).abs().mean().sort_values(ascending=False)
