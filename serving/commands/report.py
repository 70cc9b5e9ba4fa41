"""The command ``report``: what customers cost and bring, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import progress, show_json, show_remarks, show_table
from features.commands.options import CONFIG_ONLY, AsJson, options
from features.economics.settings import ReportSettings
from features.language import currency, translated
from features.log.settings import Columns, LogSettings
from serving.settings import MoneySettings

if TYPE_CHECKING:
    import pandas as pd

    from features.economics.tables import EconomicsReport

_SHOWN_PERIODS = 6


@options
def report(
    settings: ReportSettings,
    log: LogSettings,
    columns: Columns,
    money: Annotated[MoneySettings, CONFIG_ONLY],
    as_json: AsJson = False,
) -> None:
    """Report what customers cost and bring: the customer base, sales, cohorts, payback, acquisition.

    Example: stayworth report --transactions orders.csv --out report

    With files of your own: stayworth report --transactions orders.csv --spend spend.csv --customers customers.csv
    --segment city --out report

    The folder gets report.html, which opens in any browser without a network, every table as CSV, definitions.csv with
    the meaning of each column, and report.json with all of it; with --xlsx a workbook too,
    with --star-schema facts and dimensions for Power BI.
    A part whose file is missing says which file would fill it.
    """
    from serving.campaign.economics import made_report
    from serving.report.folder import require_target, write_report

    require_target(settings.out)
    settings = settings.model_copy(update={"money_unit": settings.money_unit or money.unit})
    with progress() as step:
        made = made_report(settings, log, columns, step)
        step(translated("Writing"), 0, 0)
        write_report(made, settings.out, workbook=settings.xlsx)
    show_remarks(made.findings)
    if as_json:
        show_json(made.to_dict())
    else:
        _show(made, settings.out)


def _show(made: EconomicsReport, folder: Path) -> None:
    """Print the newest periods of all customers, and what was found and what is missing."""
    from serving.report.folder import PAGE

    terms = made.terms
    said = [
        translated("Log of {first:date} to {last:date}.", first=terms.first_day, last=terms.last_day),
        terms.activity(),
    ]
    if terms.money_unit:
        said.append(translated("Money is in {unit}.", unit=currency(terms.money_unit)))
    if terms.real_money_of:
        said.append(translated("Money is at the prices of {month:label}.", month=terms.real_money_of))
    typer.echo(" ".join(said) + "\n")
    _show_periods(made)
    for section in made.sections:
        for sentence in section.notes:
            typer.echo(f"{sentence}\n")
    if made.missing:
        typer.echo(translated("Not in the report, and what would fill it:"))
        for sentence in made.missing:
            typer.echo(f"- {sentence}")
    typer.echo()
    typer.echo(
        translated(
            "The report: {page}, and its {tables:table|tables} beside it",
            page=str(folder / PAGE),
            tables=len(list(made.tables)),
        )
    )


def _show_periods(made: EconomicsReport) -> None:
    from features.economics.catalogue import INDICATORS
    from features.economics.segments import EVERYONE
    from serving.report.page import first_day_beside

    shown = {
        "customer_base": ["period", "start", "new", "returned", "lost", "end", "churn_rate"],
        "sales": ["period", "buyers", "orders", "net_revenue", "average_order", "repeat_rate"],
    }
    for name, columns in shown.items():
        table = made.table(name)
        newest = table.rows[table.rows["segment"] == EVERYONE].tail(_SHOWN_PERIODS)
        heads = [INDICATORS[column] for column in columns]
        rows = [[*(head.shown(row[head.name]) for head in heads), _mark(row)] for _, row in newest.iterrows()]
        for cells, (_, row) in zip(rows, newest.iterrows(), strict=True):
            cells[0] = f"{cells[0]} {first_day_beside(row, made.terms.calendar)}".strip()
        show_table(table.title, [*(head.title[:1].upper() + head.title[1:] for head in heads), ""], rows)
        typer.echo()


def _mark(row: pd.Series) -> str:
    return translated("provisional") if row["provisional"] else ""
