"""Plots of the model card.

All have the same width and type size, for screens, telephones and paper. Lines differ in dash and bars in fill, not
by colour alone.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from features.language import short_day, translated
from training.judging.trial_offer import TrialOffer
from training.model.log_summary import LogSummary
from training.offers.profit_measures import profit_curve
from training.report.plot_style import (
    ACTUAL_COLOUR,
    DASHES,
    GREY,
    MODEL_COLOUR,
    NEWEST_COLOUR,
    OTHER_COLOUR,
    SIZE,
    day_number,
    mark_dates,
    mark_thousands,
    new_axes,
    styled,
)
from training.report.plots import COLOURS, calibration_plot, gain_plot
from training.snapshots.schedule import Schedule


def _told_apart(figure: Figure) -> Figure:
    """Remove the title, which the page has, and give each model's line its own dash."""
    axes = figure.axes[0]
    axes.set_title("")
    figure.set_size_inches(*SIZE)
    models = [line for line in axes.lines if line.get_color() in COLOURS]
    for line, dash in zip(models, DASHES, strict=False):
        line.set_linestyle(dash)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.legend()
    return figure


@styled
def calibration(churned: np.ndarray, probabilities: dict[str, np.ndarray]) -> Figure:
    """Draw observed against predicted churn (`training.report.plots.calibration_plot`)."""
    return _told_apart(calibration_plot(churned, probabilities))


@styled
def gain(actual: np.ndarray, scores: dict[str, np.ndarray], what: str) -> Figure:
    """Draw what the first customers of each ranking catch (`training.report.plots.gain_plot`)."""
    return _told_apart(gain_plot(actual, scores, what))


@styled
def timeline(plan: Schedule, horizon_days: int, log: LogSummary) -> Figure:
    """Draw what each snapshot sees, and the window after it in which silence is churn.

    Parameters
    ----------
    plan : Schedule
    horizon_days : int
    log : LogSummary
    """
    first_day, last_day = log.first_day, log.last_day
    rows = [*plan.snapshots, plan.newest]
    figure, axes = new_axes("", "", height=1.3 + 0.17 * len(rows))
    kinds: dict[str, dict[str, Any]] = {
        translated("learnt from before the test"): {"color": MODEL_COLOUR},
        translated("learnt from afterwards only"): {
            "facecolor": "white",
            "edgecolor": MODEL_COLOUR,
            "hatch": "////",
        },
        translated("test: judged on"): {"color": OTHER_COLOUR},
        translated("newest: what is predicted now"): {
            "facecolor": "white",
            "edgecolor": NEWEST_COLOUR,
            "linestyle": "--",
        },
    }
    for place, snapshot in enumerate(rows):
        newest, judged, known = (snapshot == plan.newest, snapshot == plan.test, snapshot in plan.before_test)
        kind = list(kinds)[3 if newest else 2 if judged else 0 if known else 1]
        seen = (snapshot.date - first_day).days
        axes.barh(place, seen, left=day_number(first_day), height=0.22, color="#c9d1da")
        axes.barh(place, horizon_days, left=day_number(snapshot.date), height=0.7, **kinds[kind], label=kind)
    axes.axvline(day_number(last_day + timedelta(days=1)), color=GREY, linewidth=1, linestyle=":")
    axes.text(
        day_number(last_day),
        len(rows) - 0.2,
        translated("end of the log") + " ",
        ha="right",
        color=GREY,
        fontsize=9,
    )
    axes.set_yticks(range(len(rows)), [short_day(snapshot.date) for snapshot in rows], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(day_number(first_day), day_number(plan.newest.date + timedelta(days=horizon_days + 5)))
    mark_dates(axes)
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def profit(trial: TrialOffer) -> Figure:
    """Draw the profit of contacting the first k customers of each ranking, and the list the model makes."""
    figure, axes = new_axes(translated("customers contacted, best first"), translated("profit"))
    contacted, best = profit_curve(trial.realised, trial.realised)
    curves = {name: profit_curve(trial.realised, score)[1] for name, score in trial.rankings.items()}
    axes.plot(contacted, best, color=GREY, linestyle=":", label=translated("perfect foresight"))
    axes.plot(contacted[[0, -1]], best[[0, -1]], color=GREY, linewidth=1, label=translated("at random"))
    for (name, curve), colour, dash in zip(curves.items(), COLOURS, DASHES, strict=False):
        axes.plot(contacted, curve, color=colour, linestyle=dash, label=translated(name))
    size = int((trial.expected > 0).sum())
    made = next(iter(curves.values()))[size]
    own = translated("list of {racer}", racer=next(iter(curves)))
    axes.plot([size], [made], "o", color=MODEL_COLOUR, markersize=7, label=own)
    axes.axhline(0, color="#9aa3af", linewidth=0.8)
    top = best.max() or 1.0
    axes.set_ylim(max(min(curve.min() for curve in curves.values()), -top) - 0.05 * top, 1.08 * top)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    mark_thousands(axes)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def deciles(table: pd.DataFrame) -> Figure:
    """Draw predicted beside actual spend by decile (`training.metrics.money.decile_table`), the ratio above."""
    figure, axes = new_axes(
        translated("decile of expected spend, the highest first"), translated("spend in the test window")
    )
    place = table["decile"].to_numpy()
    axes.bar(place - 0.2, table["predicted"], 0.4, color=MODEL_COLOUR, label=translated("expected"))
    axes.bar(
        place + 0.2,
        table["actual"],
        0.4,
        color="white",
        edgecolor=ACTUAL_COLOUR,
        hatch="////",
        label=translated("actual"),
    )
    for row in table.itertuples():
        text = f"{row.ratio:.2f}" if np.isfinite(row.ratio) else ""
        axes.annotate(
            text,
            (row.decile, max(row.predicted, row.actual, 0.0)),
            (0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color="#374151",
        )
    axes.set_xticks(place)
    mark_thousands(axes)
    axes.legend(title=translated("above: expected / actual"), title_fontsize=9)
    return figure


@styled
def tracking(weeks: pd.DataFrame, name: str) -> Figure:
    """Draw weekly purchases beside what the purchase model expects (`tracking.weekly_purchases`)."""
    figure, axes = new_axes("", translated("repeat purchases a week"))
    days = np.array([day_number(day) for day in weeks["week_starts"]])
    ahead = weeks["forecast"].to_numpy()
    axes.step(
        days,
        weeks["actual"],
        where="post",
        color=ACTUAL_COLOUR,
        linewidth=1.2,
        label=translated("actual"),
    )
    axes.plot(
        days[~ahead],
        weeks["expected"][~ahead],
        color=MODEL_COLOUR,
        linestyle="--",
        label=translated("{model}, fitted", model=name),
    )
    axes.plot(
        days[ahead],
        weeks["expected"][ahead],
        color=MODEL_COLOUR,
        linewidth=2.6,
        label=translated("{model}, forecast", model=name),
    )
    if ahead.any():
        axes.axvspan(days[ahead][0], days[-1] + 7, color="#eef3f8", zorder=0, label=translated("test window"))
    axes.set_ylim(bottom=0)
    mark_dates(axes)
    mark_thousands(axes)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def heatmap(grid: pd.DataFrame, column: str, label: str) -> Figure:
    """Draw one column of a frequency–recency grid (`training.report.frequency_recency_grid.frequency_recency`)."""
    figure, axes = new_axes(
        translated("weeks since the last purchase"), translated("repeat purchases so far")
    )
    cells = grid.pivot(index="frequency", columns="silent_weeks", values=column)
    mesh = axes.pcolormesh(
        cells.columns.to_numpy(),
        cells.index.to_numpy(),
        cells.to_numpy(),
        shading="nearest",
        cmap="cividis",
        rasterized=True,
    )
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    if np.ptp(cells.to_numpy()) > 0 and min(cells.shape) > 1:
        lines = axes.contour(cells.columns, cells.index, cells, levels=3, colors="white", linewidths=0.9)
        axes.clabel(lines, fmt=lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.2g}", fontsize=9)
    bar = figure.colorbar(mesh, ax=axes, label=label)
    bar.outline.set_visible(False)
    return figure


@styled
def topics(importance: pd.Series) -> Figure:
    """Draw the mean size of each topic's contribution, the largest on top."""
    figure, axes = new_axes(
        translated("mean size of the contribution, log-odds"), "", height=0.8 + 0.28 * len(importance)
    )
    ordered = importance.iloc[::-1]
    bars = axes.barh(ordered.index, ordered.to_numpy(), color=MODEL_COLOUR, height=0.65)
    axes.bar_label(bars, fmt="{:.2f}", padding=3, fontsize=9)
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    return figure


@styled
def level(missed: dict[str, list[tuple[date, float]]]) -> Figure:
    """Draw how far each past window was from the purchase model: lines of (date, log-odds or log-factor)."""
    figure, axes = new_axes("", translated("off the purchase model"), height=2.8)
    for (name, points), colour, dash in zip(missed.items(), COLOURS, DASHES, strict=False):
        days, values = zip(*points, strict=True)
        axes.plot(
            [day_number(day) for day in days],
            values,
            color=colour,
            linestyle=dash,
            marker="o",
            markersize=4,
            label=translated(name),
        )
    axes.axhline(0, color="#9aa3af", linewidth=0.8)
    mark_dates(axes)
    figure.legend(loc="outside lower center", ncols=2)
    return figure
