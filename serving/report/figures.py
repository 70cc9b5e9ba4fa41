"""Figures of plotly with the digits and words of the reader's language."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.ticker import MaxNLocator

from features.economics.catalogue import INDICATORS
from features.language import translated, written

INK, LINE = "#1c2733", "#dfe4e9"
BLUE, GREEN, RED, GREY = "#1b6ca8", "#2f8f5b", "#b4472a", "#7a8794"
_TICKS = 5
_MOST_DECIMALS = 3
_LABELS = 7
_ABOVE = {
    **{"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom"},
    **{"yshift": 8, "showarrow": False},
}


def shown(rows: pd.DataFrame, column: str) -> list[str]:
    """Write a column as people read it; escaped, for plotly reads tags in texts."""
    return [html.escape(INDICATORS[column].shown(value)) for value in rows[column]]


def told_of(places: Sequence[str], name: str, values: Sequence[str]) -> list[str]:
    """Say in one line what a mark of a picture stands for."""
    return [
        translated("{place}: {name} {value}", place=place, name=name, value=value)
        for place, value in zip(places, values, strict=True)
    ]


def with_ticks(
    figure: go.Figure, values: Sequence[float] | pd.Series, axis: str, shape: str = ""
) -> go.Figure:
    """Mark an axis of numbers in the digits of the language, which plotly does not know."""
    known = [float(value) for value in values if np.isfinite(value)]
    places = MaxNLocator(_TICKS, integer=shape == ",.0f").tick_values(min([0.0, *known]), max([0.0, *known]))
    shape = shape or f",.{_decimals(places)}f"
    texts = [written(float(place), shape) for place in places]
    return figure.update_layout({axis: {"tickvals": places, "ticktext": texts}})


def _decimals(places: Sequence[float]) -> int:
    """Return the fewest decimals that tell an axis's marks as they are."""
    return next((count for count in range(_MOST_DECIMALS) if np.allclose(places, np.round(places, count))), 2)


def empty_figure(unit: str) -> go.Figure:
    """Return a figure to draw into, with the unit of its upright axis above it."""
    layout = go.Layout(
        template="none",
        font={"family": "system-ui, sans-serif", "color": INK, "size": 13},
        margin={"l": 8, "r": 16, "t": 34 if unit else 12, "b": 8},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        dragmode=False,
        xaxis={"type": "category" if unit else "-", "nticks": _LABELS, "gridcolor": LINE, "automargin": True},
        # Not a rotated title: it would run into the ticks of some scripts.
        annotations=[{"text": unit} | _ABOVE] if unit else [],
        yaxis={"gridcolor": LINE, "zerolinecolor": GREY, "automargin": True},
    )
    return go.Figure(layout=layout)
