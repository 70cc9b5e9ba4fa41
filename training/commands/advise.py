"""The command ``advise``: the churn window that a log suggests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.log.settings import Columns, LogSettings
from features.settings import Settings

if TYPE_CHECKING:
    from training.window.advice import Advice, Window
    from training.window.silences import Rate

app = typer.Typer(add_completion=False)


class AdviseSettings(Settings, section="advise"):
    """How many wrong calls a churn window may make: the section ``[advise]``."""

    late_returns: Annotated[
        float,
        typer.Option("--late-returns", help="Share of returning customers who may return after the window."),
    ] = Field(default=0.2, ge=0.01, le=0.99)
    false_churn: Annotated[
        float,
        typer.Option(
            "--false-churn",
            help="Share of customers silent for the window who may return within a year.",
        ),
    ] = Field(default=0.5, ge=0.01, le=1)


@app.command()
@options
def advise(
    log: LogSettings,
    columns: Columns,
    settings: AdviseSettings,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture to write: .png, .svg or .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recommend the churn window, in days without a purchase, and the settings of training for a log.

    Example: stayworth advise --transactions orders.csv --plot window.png
    """
    from features.table.history import PurchaseHistory
    from training.report.advice_plot import require_format, write_plot
    from training.window.advisor import advise

    if plot:
        require_format(plot)
    with progress() as report:
        orders = open_log(log, columns, report)
        report("Measuring gaps between purchases", 0, 0)
        with PurchaseHistory(orders) as history:
            advice = advise(history, **settings.model_dump())
        if plot:
            write_plot(advice, plot)
    if as_json:
        show_json(advice.to_dict())
        return
    show_advice(advice)
    if plot:
        typer.echo(f"Written: {plot}")


def show_advice(advice: Advice) -> None:
    """Print an advice: gaps, windows, the recommendation and its notes."""
    from training.window.advice import span

    show_table(
        f"Gaps between purchases, {advice.first_day} to {advice.last_day}: {advice.gaps:,} of "
        f"{advice.returning_customers:,} customers who came back, of {advice.customers:,}",
        ["Share of gaps", "Days at the most", "Each customer once"],
        [[f"{q.share:.0%}", q.gap_days, q.customer_gap_days] for q in advice.quantiles],
    )
    typer.echo()
    _show_windows(advice)
    typer.echo(
        "\nLate returns: of the customers who come back within "
        f"{span(advice.reach_days)}, those who take longer than the window. False churn: of the customers "
        "silent for the window, those who come back in the time after it. In brackets, each silence counts once."
    )
    typer.echo(f"\n{_recommendation(advice)}")
    for note in advice.notes:
        typer.echo(f"Note: {note}")
    typer.echo(
        f"\nTrain with it: stayworth train --transactions … --horizon-days {advice.horizon_days} "
        f"--dormant-after-days {advice.dormant_after_days}"
    )


def _show_windows(advice: Advice) -> None:
    header = ["Days", "Late returns", "False churn", "95% interval", "in days after"]
    header += ["Snapshots", "Forward steps", ""]
    show_table("Windows", header, [_row(window, advice) for window in advice.windows])


def _row(window: Window, advice: Advice) -> list[object]:
    marks = {
        "window": advice.window_days,
        "horizon": advice.horizon_days,
        "dormant": advice.dormant_after_days,
    }
    rate, per_silence = window.false_churn, window.false_churn_per_silence
    return [
        window.days,
        f"{window.late_returns:.1%} ({window.late_returns_per_silence:.1%})",
        f"{_percent(rate)} ({_percent(per_silence)})",
        f"{rate.low:.1%} – {rate.high:.1%}" if rate else "",
        window.follow_up_days or None,
        window.snapshots,
        window.validations,
        ", ".join(name for name, days in marks.items() if days == window.days),
    ]


def _recommendation(advice: Advice) -> str:
    window = advice.window(advice.window_days)
    rate = window.false_churn
    wrong = (
        f"{rate.value:.0%} of the customers silent that long still come back in the {window.follow_up_days} days after"
        if rate
        else "the log is too short to tell how many of those silent that long still come back"
    )
    return (
        f"Inactivity window: {window.days} days. It writes off {window.late_returns:.0%} of those who come back, "
        f"and {wrong}. Churn horizon: {advice.horizon_days} days. Dormant after {advice.dormant_after_days} days."
    )


def _percent(rate: Rate | None) -> str:
    return f"{rate.value:.1%}" if rate else "unknown"
