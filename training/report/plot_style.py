"""How the plots of the model card look: one width and type size, and axes in the reader's language."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from features.language import ENGLISH, current_language, short_day
from training.report.plots import COLOURS
from training.report.svg import TYPEFACE

MODEL_COLOUR, OTHER_COLOUR, NEWEST_COLOUR = COLOURS[:3]
INK, GREY, ACTUAL_COLOUR = "#1c2733", "#6b7280", "#374151"
DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")
SIZE = (4.7, 3.5)
STYLE = {
    "font.family": ["sans-serif"],
    "font.sans-serif": [TYPEFACE],
    "font.size": 10,
    "axes.edgecolor": "#9aa3af",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}

styled = matplotlib.rc_context(STYLE)  # type: ignore[arg-type]


def new_axes(x_label: str, y_label: str, height: float = SIZE[1]) -> tuple[Figure, Axes]:
    """Return a figure of the card's width, without a window and without global state, and its axes."""
    figure = Figure(figsize=(SIZE[0], height), layout="constrained")
    return figure, figure.add_subplot(xlabel=x_label, ylabel=y_label)


def day_number(day: date) -> float:
    """Return a day as the number by which matplotlib places it."""
    return float(date2num(day))  # type: ignore[no-untyped-call]


def mark_dates(axes: Axes) -> None:
    """Mark the days along the lower axis, in the reader's calendar."""
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    if current_language() == ENGLISH:
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_day(_date_of(value))))
        axes.tick_params(axis="x", rotation=30)


def _date_of(number: float) -> date:
    moment: datetime = num2date(number)  # type: ignore[no-untyped-call]
    return moment.date()


def mark_thousands(axes: Axes) -> None:
    """Part the thousands of the numbers along the upright axis."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
