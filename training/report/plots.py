"""Plots of a run: calibration and gain."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features.language import translated
from training.metrics.ranking import gain_curve

COLOURS = ("#1b6ca8", "#c8553d", "#5b8e7d", "#8d6a9f", "#7f7f7f")


def _axes(title: str, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """Make a figure without a window and without global state."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def calibration_plot(churned: np.ndarray, probabilities: dict[str, np.ndarray], bins: int = 10) -> Figure:
    """Draw observed against predicted churn over equal-count bins, one line per model.

    Parameters
    ----------
    churned : ndarray of shape (n_customers,), 0 or 1
    probabilities : dict of name to ndarray of shape (n_customers,)
    """
    figure, axes = _axes(
        translated("Observed against predicted churn"),
        translated("predicted churn"),
        translated("observed churn"),
    )
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle="--")
    for colour, (name, probability) in zip(COLOURS, probabilities.items(), strict=False):
        groups = [g for g in np.array_split(np.argsort(probability, kind="stable"), bins) if len(g)]
        points = [(probability[g].mean(), churned[g].mean()) for g in groups]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=translated(name))
    axes.legend(frameon=False)
    return figure


def gain_plot(actual: np.ndarray, scores: dict[str, np.ndarray], what: str) -> Figure:
    """Draw the share of ``what`` that the first customers of each ranking catch.

    Parameters
    ----------
    actual : ndarray of shape (n_customers,), such as churn (0 or 1) or spend
    scores : dict of name to ndarray of shape (n_customers,)
    what : str
        Named on the axis, such as "churners".
    """
    figure, axes = _axes(
        translated("Share of {what} caught", what=translated(what)),
        translated("customers contacted, best first"),
        translated("{what} caught", what=translated(what)),
    )
    share = np.linspace(0, 1, len(actual) + 1)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle="--", label=translated("at random"))
    axes.plot(
        share,
        gain_curve(actual, actual),
        color="#444444",
        linewidth=1,
        linestyle=":",
        label=translated("perfect"),
    )
    for colour, (name, score) in zip(COLOURS, scores.items(), strict=False):
        axes.plot(share, gain_curve(actual, score), color=colour, label=translated(name))
    axes.legend(frameon=False)
    return figure
