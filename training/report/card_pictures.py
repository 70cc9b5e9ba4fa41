"""Pictures of the model card, each with a text alternative."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from features.language import translatable, translated, translated_in, written
from features.table.columns import rows_of
from training.churn.level import Level
from training.judging.race import MODEL
from training.judging.trial_offer import TrialOffer
from training.metrics.money import decile_table
from training.model.reasons import load_wording, topic_sums
from training.report import card_plots as plots
from training.report.formats import money, number, share
from training.report.frequency_recency_grid import frequency_recency
from training.report.svg import inline_svg

if TYPE_CHECKING:
    from training.run import TrainingRun

P0 = "BG/NBD p0"
"""The racer drawn beside the model."""

SAMPLE = 2_000
"""Customers whose contributions make the picture of the topics."""


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
    test, plan, terms = run.test, run.schedule, run.model.terms
    churned, spend = test.labelled.churned, test.labelled.outcomes["spend"].to_numpy()
    probabilities = {MODEL: test.probability, P0: test.labelled.table["p0"].to_numpy()}
    recent = test.labelled.recent(run.model.card.dormant_after_days)
    of_recent = {name: p[recent] for name, p in probabilities.items()}
    grid = frequency_recency(run.newest.clv, run.newest.table, terms)
    importance = topic_importance(run)
    own, sizes = (
        trial.lists[0],
        written([f"{name} {number(size, '.2f')}" for name, size in importance.items()]),
    )
    drawn: dict[str, tuple[Figure, str]] = {
        "timeline": (
            plots.timeline(plan, terms.horizon_days, run.model.card.log),
            translated(
                "What {n:past snapshot|past snapshots} and the newest, {newest:date}, see of the log, and the window "
                "of {days} days after each; the test is {test:date}.",
                n=len(plan.snapshots),
                newest=plan.newest.date,
                days=terms.horizon_days,
                test=plan.test.date,
            ),
        ),
        "calibration": (
            plots.calibration(churned, probabilities),
            translated("Observed against predicted churn of all customers, in ten groups."),
        ),
        "gain": (
            plots.gain(churned, probabilities, translatable("churners")),
            translated(
                "Share of churners caught by the riskiest of all customers, against perfect and random order."
            ),
        ),
        "gain-spend": (
            plots.gain(np.maximum(spend, 0), {MODEL: test.expected_spend}, translatable("spend")),
            translated(
                "Share of the spend caught by the customers of highest expected spend. The first tenth holds {share}.",
                share=share(spend_of_model(run)["top_decile_share"]),
            ),
        ),
        "profit": (
            plots.profit(trial),
            translated(
                "Profit by number of customers contacted. The model's list of {n:,} earns {money}, {share} of perfect "
                "foresight.",
                n=own.contacted,
                money=money(own.profit),
                share=share(own.share),
            ),
        ),
        "deciles": (
            plots.deciles(decile_table(spend, test.expected_spend)),
            translated("The table below, as bars."),
        ),
        "tracking": (
            plots.tracking(weeks, test.labelled.clv.purchases.title),
            translated(
                "Repeat purchases by week, actual and expected, before the test snapshot and after it."
            ),
        ),
        "alive": (
            plots.heatmap(grid, "p_alive", translated("P(alive)")),
            translated(
                "P(alive) by repeat purchases and weeks of silence: it falls sooner, the more purchases there were."
            ),
        ),
        "value": (
            plots.heatmap(grid, "expected_value", translated("expected value")),
            translated("Expected value by repeat purchases and weeks of silence."),
        ),
        "topics": (
            plots.topics(importance),
            translated("Mean size of the contribution to the log-odds: {sizes}.", sizes=sizes),
        ),
    }
    if recent.any():
        drawn |= {
            "calibration-recent": (
                plots.calibration(churned[recent], of_recent),
                translated("Observed against predicted churn of recent customers, in ten groups."),
            ),
            "gain-recent": (
                plots.gain(churned[recent], of_recent, "churners"),
                translated("Share of churners caught by the riskiest of the recent customers."),
            ),
        }
    if found := levels(run):
        points = {
            name: [(date.fromordinal(d), v) for d, v in zip(level.days, level.missed, strict=True)]
            for name, level in found.items()
        }
        drawn["level"] = (
            plots.level(points),
            translated("How far each past window was from the purchase model."),
        )
    return {name: inline_svg(figure, name, text) for name, (figure, text) in drawn.items()}


def levels(run: TrainingRun) -> dict[str, Level]:
    """Return what closed windows missed in common, by name; none where the log was too young for all of them."""
    levels = {translatable("churn, log-odds"): run.model.churn.level}
    if run.model.spend is not None:
        levels[translatable("money per purchase, logarithm of the factor")] = run.model.spend.price_level
    return {name: level for name, level in levels.items() if level.days}


def topic_importance(run: TrainingRun) -> pd.Series:
    """Return the mean size of each topic's contribution to the log-odds at the newest snapshot, largest first.

    Contributions take long: of a large table every n-th customer is taken, about `SAMPLE` in all.
    """
    table = run.newest.table
    sample, wording = slice(None, None, max(1, len(table) // SAMPLE)), load_wording(run.model.churn.inputs)
    sums = topic_sums(run.model.churn.contributions(rows_of(run.newest.columns, sample)), wording)
    topics = [translated_in("topic", name.replace("_", " ")) for name in wording.topics]
    return pd.DataFrame(sums, columns=topics).abs().mean().sort_values(ascending=False)


def spend_of_model(run: TrainingRun) -> dict[str, float]:
    """Return the model's row of the race on spend."""
    return dict(run.test.spend.set_index("racer").loc[MODEL].to_dict())
