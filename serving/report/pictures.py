"""Pictures of the report's tables, drawn by plotly in the reader's browser.

A picture shows all customers; segments are in the tables. Bars and points of provisional periods are pale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from features.economics.catalogue import INDICATORS
from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport
from features.language import translated, translated_in, written
from serving.report.figures import BLUE, GREEN, GREY, INK, RED, empty_figure, shown, told_of, with_ticks

_PALE = 0.4
_FEWEST_PERIODS = 2
_LATEST_COHORTS = 6
_STAGE_COLOURS = {
    "advocate": GREEN,
    "loyal": "#7bbf9a",
    "majority": BLUE,
    "repeat": "#8fb8d8",
    "first_time": GREY,
    "lapsing": RED,
}


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
    periods = shown(rows, "period")
    figure = empty_figure(translated_in("unit", "customers"))
    for name, colour, sign in (("new", GREEN, 1), ("returned", BLUE, 1), ("lost", RED, -1)):
        title = INDICATORS[name].title
        bars = go.Bar(
            x=periods,
            y=sign * rows[name],
            name=title,
            marker={"color": colour, "opacity": _opacity(rows)},
            hovertext=told_of(periods, title, shown(rows, name)),
            hoverinfo="text",
        )
        figure.add_trace(bars)
    active = translated("active at the end")
    line = go.Scatter(
        x=periods,
        y=rows["end"],
        name=active,
        line={"color": INK},
        hovertext=told_of(periods, active, shown(rows, "end")),
        hoverinfo="text",
    )
    figure.add_trace(line)
    parts = rows[["new", "returned"]].sum(axis=1)
    with_ticks(figure, [-rows["lost"].max(), max(parts.max(), rows["end"].max())], "yaxis", ",.0f")
    return figure.update_layout(barmode="relative")


def revenue(rows: pd.DataFrame) -> go.Figure | None:
    """Draw net revenue of each period."""
    rows = _everyone(rows)
    if len(rows) < _FEWEST_PERIODS:
        return None
    periods = shown(rows, "period")
    title = INDICATORS["net_revenue"].title
    bars = go.Bar(
        x=periods,
        y=rows["net_revenue"],
        marker={"color": BLUE, "opacity": _opacity(rows)},
        hovertext=told_of(periods, title, shown(rows, "net_revenue")),
        hoverinfo="text",
    )
    figure = empty_figure(title).add_trace(bars)
    return with_ticks(figure, rows["net_revenue"], "yaxis")


def cohorts(rows: pd.DataFrame) -> go.Figure | None:
    """Draw which share of each cohort buys in the periods after its first, as a triangle of colours."""
    rows = _everyone(rows)
    later = rows[rows["age"] > 0]
    if later["cohort"].nunique() < _FEWEST_PERIODS:
        return None
    shares = later.pivot(index="cohort", columns="age", values="share_buying").reindex(
        later["cohort"].unique()
    )
    names = [INDICATORS["cohort"].shown(each) for each in shares.index]
    ages = [written(int(age), ",") for age in shares.columns]
    told = [["" if np.isnan(share) else written(share, ".1%") for share in row] for row in shares.to_numpy()]
    steps = np.linspace(0, float(np.nanmax(shares.to_numpy())) or 1, 5)
    heat = go.Heatmap(
        x=ages,
        y=names,
        z=shares.to_numpy(),
        colorscale=[[0, "#eef5fb"], [1, BLUE]],
        colorbar={"thickness": 12, "tickvals": steps, "ticktext": [written(step, ".0%") for step in steps]},
        text=told,
        # One sentence for all cells: a log of two years has five thousand weeks of cohorts.
        hovertemplate=translated(
            "acquired in {cohort}, period {age} since: {share} bought",
            cohort="%{y}",
            age="%{x}",
            share="%{text}",
        )
        + "<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    figure = empty_figure(INDICATORS["cohort"].title).add_trace(heat)
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_xaxes(title=translated("periods since the first purchase"))


def payback(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what the newest cohorts have brought per customer by now, beside what acquiring one of them cost."""
    rows = rows[rows["cac"].notna()].tail(_LATEST_COHORTS)
    if rows.empty:
        return None
    figure = empty_figure(translated("money per customer acquired"))
    named = {
        "cumulative_margin_per_acquired": (translated("margin so far"), GREEN),
        "cac": (translated("acquisition"), GREY),
    }
    return _side_by_side(figure, rows, "cohort", named, go.Bar).update_layout(barmode="group")


def what_if(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what each change would add, the largest first."""
    rows = rows.sort_values("gain")
    changes = shown(rows, "change")
    bars = go.Bar(
        x=rows["gain"],
        y=changes,
        orientation="h",
        marker={"color": np.where(rows["gain"] < 0, RED, GREEN)},
        hovertext=told_of(changes, INDICATORS["gain"].title, shown(rows, "gain")),
        hoverinfo="text",
    )
    return with_ticks(empty_figure("").add_trace(bars), rows["gain"], "xaxis")


def cost_of_keeping(rows: pd.DataFrame) -> go.Figure | None:
    """Draw what keeping a customer costs in each month, beside the margin that they bring."""
    rows = _everyone(rows)
    named = {
        "margin_per_kept": (INDICATORS["margin"].title, GREEN),
        "cost_of_keeping": (INDICATORS["cost_of_keeping"].title, RED),
    }
    named = {name: how for name, how in named.items() if rows[name].notna().any()}
    if len(rows) < _FEWEST_PERIODS or not named:
        return None
    return _side_by_side(
        empty_figure(translated("money per customer kept")), rows, "period", named, go.Scatter
    )


def stages(rows: pd.DataFrame) -> go.Figure | None:
    """Draw how many customers were in each stage but lapsed at the end of each period, one on the other."""
    rows = _everyone(rows)
    named = {
        column: (INDICATORS[column].title, colour)
        for column, colour in _STAGE_COLOURS.items()
        if rows[column].any()
    }
    if len(rows) < _FEWEST_PERIODS or not named:
        return None
    figure = _side_by_side(empty_figure(translated_in("unit", "customers")), rows, "period", named, go.Bar)
    with_ticks(figure, rows[list(named)].sum(axis=1), "yaxis", ",.0f")
    return figure.update_layout(barmode="stack")


def _side_by_side(
    figure: go.Figure, rows: pd.DataFrame, by: str, named: Mapping[str, tuple[str, str]], kind: Any
) -> go.Figure:
    """Draw columns of money as bars or lines of their own names and colours."""
    labels = shown(rows, by)
    for column, (name, colour) in named.items():
        style = {"marker": {"color": colour}} if kind is go.Bar else {"line": {"color": colour}}
        told = told_of(labels, name, shown(rows, column))
        figure.add_trace(kind(x=labels, y=rows[column], name=name, hovertext=told, hoverinfo="text", **style))
    return with_ticks(figure, rows[list(named)].stack(), "yaxis")


def whale_curve(rows: pd.DataFrame) -> go.Figure | None:
    """Draw the share of the net margin that the best customers bring together; without a total above 0 the money."""
    known = rows["share_of_net_margin"].notna().all()
    amount = "share_of_net_margin" if known else "cumulative_net_margin"
    title = INDICATORS[amount].title
    line = go.Scatter(
        x=rows["share_of_customers"],
        y=rows[amount],
        line={"color": GREEN},
        fill="tozeroy",
        hovertext=told_of(shown(rows, "share_of_customers"), title, shown(rows, amount)),
        hoverinfo="text",
    )
    figure = empty_figure(title).add_trace(line)
    figure.update_xaxes(type="linear", title=translated("share of the customers, the best first"))
    with_ticks(figure, [0.0, 1.0], "xaxis", ".0%")
    return with_ticks(figure, rows[amount], "yaxis", ".0%" if known else "")


_PICTURES: dict[str, Callable[[pd.DataFrame], go.Figure | None]] = {
    "customer_base": customer_base,
    "sales": revenue,
    "cohorts": cohorts,
    "payback": payback,
    "what_if": what_if,
    "cost_of_keeping": cost_of_keeping,
    "whale_curve": whale_curve,
    "stages": stages,
}


def _everyone(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["segment"] == EVERYONE] if "segment" in rows else rows


def _opacity(rows: pd.DataFrame) -> list[float]:
    return [_PALE if provisional else 1.0 for provisional in rows["provisional"]]
