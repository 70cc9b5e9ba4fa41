"""Pictures of the report's tables, drawn by plotly in the reader's browser.

A picture shows all customers; segments are in the tables. Bars and points of provisional periods are pale.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport

INK, LINE = "#1c2733", "#dfe4e9"
BLUE, GREEN, RED, GREY = "#1b6ca8", "#2f8f5b", "#b4472a", "#7a8794"
_PALE = 0.4
_FEWEST_PERIODS = 2
_LATEST_COHORTS = 6


def pictures(report: EconomicsReport) -> dict[str, str]:
    """Return the HTML of the pictures, by the table that they belong to.

    The page has to hold plotly's script once, before them.
    """
    tables = {table.name: table.rows for table in report.tables}
    drawn = {}
    for table, draw in _PICTURES.items():
        if table not in tables or not len(tables[table]):
            continue
        figure = draw(tables[table])
        if figure is not None:
            drawn[table] = figure.to_html(
                full_html=False,
                include_plotlyjs=False,
                div_id=f"picture-{table}",
                default_height="340px",
                config={"displaylogo": False, "responsive": True, "displayModeBar": False},
            )
    return drawn


def customer_base(rows: pd.DataFrame) -> go.Figure | None:
    """Draw who came, came back and was lost in each period, and how many were active at its end."""
    rows = _everyone(rows)
    if len(rows) < _FEWEST_PERIODS:
        return None
    opacity = _opacity(rows)
    figure = _figure("customers")
    for name, colour, sign in (("new", GREEN, 1), ("returned", BLUE, 1), ("lost", RED, -1)):
        bars = go.Bar(
            x=_texts(rows["period"]),
            y=sign * rows[name],
            name=name,
            marker={"color": colour, "opacity": opacity},
            customdata=rows[name],
            hovertemplate="%{x}: %{customdata:,} " + name + "<extra></extra>",
        )
        figure.add_trace(bars)
    figure.add_trace(
        go.Scatter(
            x=_texts(rows["period"]),
            y=rows["end"],
            name="active at the end",
            line={"color": INK},
            hovertemplate="%{x}: %{y:,} active at the end<extra></extra>",
        )
    )
    return figure.update_layout(barmode="relative")


def revenue(rows: pd.DataFrame) -> go.Figure | None:
    """Draw net revenue of each period."""
    rows = _everyone(rows)
    if len(rows) < _FEWEST_PERIODS:
        return None
    bars = go.Bar(
        x=_texts(rows["period"]),
        y=rows["net_revenue"],
        marker={"color": BLUE, "opacity": _opacity(rows)},
        hovertemplate="%{x}: %{y:,.2f}<extra></extra>",
    )
    return _figure("net revenue").add_trace(bars)


def cohorts(rows: pd.DataFrame) -> go.Figure | None:
    """Draw which share of each cohort buys in the periods after its first, as a triangle of colours."""
    rows = _everyone(rows)
    later = rows[rows["age"] > 0]
    if later["cohort"].nunique() < _FEWEST_PERIODS:
        return None
    shares = later.pivot(index="cohort", columns="age", values="share_buying").reindex(
        later["cohort"].unique()
    )
    heat = go.Heatmap(
        x=[str(age) for age in shares.columns],
        y=_texts(shares.index),
        z=shares.to_numpy(),
        colorscale=[[0, "#eef5fb"], [1, BLUE]],
        colorbar={"tickformat": ".0%", "thickness": 12},
        hovertemplate="acquired %{y}, period %{x} since: %{z:.1%} bought<extra></extra>",
        xgap=1,
        ygap=1,
    )
    figure = _figure("acquired").add_trace(heat)
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_xaxes(title="periods since the first purchase")


def payback(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what the newest cohorts have brought per customer by now, beside what acquiring one of them cost."""
    rows = rows[rows["cac"].notna()].tail(_LATEST_COHORTS)
    if rows.empty:
        return None
    figure = _figure("money per customer acquired")
    for column, name, colour in (
        ("cumulative_margin_per_acquired", "margin so far", GREEN),
        ("cac", "acquisition", GREY),
    ):
        figure.add_trace(
            go.Bar(x=_texts(rows["cohort"]), y=rows[column], name=name, marker={"color": colour})
        )
    return figure.update_layout(barmode="group")


def what_if(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what each change would add, the largest first."""
    rows = rows.sort_values("gain")
    bars = go.Bar(
        x=rows["gain"],
        y=_texts(rows["change"]),
        orientation="h",
        marker={"color": np.where(rows["gain"] < 0, RED, GREEN)},
        hovertemplate="%{y}: %{x:,.2f}<extra></extra>",
    )
    return _figure("").add_trace(bars)


def cost_of_keeping(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what keeping a customer costs in each month, beside the margin that they bring."""
    rows = _everyone(rows)
    if len(rows) < _FEWEST_PERIODS:
        return None
    figure = _figure("money per customer kept")
    for column, name, colour in (
        ("margin_per_kept", "margin", GREEN),
        ("cost_of_keeping", "cost of keeping", RED),
    ):
        if rows[column].notna().any():
            line = go.Scatter(x=_texts(rows["period"]), y=rows[column], name=name, line={"color": colour})
            figure.add_trace(line)
    return figure if figure.data else None


_PICTURES: dict[str, Callable[[pd.DataFrame], go.Figure | None]] = {
    "customer_base": customer_base,
    "sales": revenue,
    "cohorts": cohorts,
    "payback": payback,
    "what_if": what_if,
    "cost_of_keeping": cost_of_keeping,
}


def _everyone(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["segment"] == EVERYONE] if "segment" in rows else rows


def _opacity(rows: pd.DataFrame) -> list[float]:
    return [_PALE if provisional else 1.0 for provisional in rows["provisional"]]


def _texts(values: Sequence[object] | pd.Series | pd.Index) -> list[str]:
    """Escape texts from files: plotly reads tags in them."""
    return [html.escape(str(value)) for value in values]


def _figure(unit: str) -> go.Figure:
    layout = go.Layout(
        template="none",
        font={"family": "system-ui, sans-serif", "color": INK, "size": 13},
        margin={"l": 8, "r": 16, "t": 12, "b": 8},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        xaxis={"type": "-" if not unit else "category", "gridcolor": LINE, "automargin": True},
        yaxis={"title": {"text": unit}, "gridcolor": LINE, "zerolinecolor": GREY, "automargin": True},
    )
    return go.Figure(layout=layout)
