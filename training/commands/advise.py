"""The command ``advise``: the churn window that a log suggests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, InLanguage, options
from features.language import in_digits, translated, translated_in, written
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
    language: InLanguage = "en",
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
        report(translated("Measuring gaps between purchases"), 0, 0)
        with PurchaseHistory(orders) as history:
            advice = advise(history, **settings.model_dump())
        if plot:
            write_plot(advice, plot)
    if as_json:
        show_json(advice.to_dict())
        return
    show_advice(advice)
    if plot:
        typer.echo(translated("Written: {path}", path=plot))


def show_advice(advice: Advice) -> None:
    """Print an advice: gaps, windows, the recommendation and its notes."""
    from training.window.advice import span

    show_table(
        translated(
            "Gaps between purchases, {first:date} to {last:date}: {gaps:,} of {back:customer|customers} who came back, "
            "of {all:,}",
            first=advice.first_day,
            last=advice.last_day,
            gaps=advice.gaps,
            back=advice.returning_customers,
            all=advice.customers,
        ),
        [translated("Share of gaps"), translated("Days at the most"), translated("Each customer once")],
        [[written(q.share, ".0%"), q.gap_days, q.customer_gap_days] for q in advice.quantiles],
    )
    typer.echo()
    _show_windows(advice)
    typer.echo()
    typer.echo(
        translated(
            "Late returns: of the customers who come back within {span}, those who take longer than the window. False "
            "churn: of the customers silent for the window, those who come back in the time after it. In brackets, "
            "each silence counts once.",
            span=span(advice.reach_days),
        )
    )
    typer.echo(f"\n{_recommendation(advice)}")
    for note in advice.notes:
        typer.echo(translated("Note: {note}", note=note))
    command = (
        f"stayworth train --transactions … --horizon-days {advice.horizon_days} "
        f"--dormant-after-days {advice.dormant_after_days}"
    )
    typer.echo()
    typer.echo(translated("Train with it: {command}", command=command))


def _show_windows(advice: Advice) -> None:
    header = [translated("Days"), translated("Late returns"), translated("False churn")]
    header += [translated("95% interval"), translated("in days after"), translated("Snapshots")]
    header += [translated("Forward steps"), ""]
    show_table(translated("Windows"), header, [_row(window, advice) for window in advice.windows])


def _row(window: Window, advice: Advice) -> list[object]:
    marks = {
        translated_in("mark", "window"): advice.window_days,
        translated_in("mark", "horizon"): advice.horizon_days,
        translated_in("mark", "dormant"): advice.dormant_after_days,
    }
    rate, per_silence = window.false_churn, window.false_churn_per_silence
    return [
        window.days,
        in_digits(f"{window.late_returns:.1%} ({window.late_returns_per_silence:.1%})"),
        f"{_percent(rate)} ({_percent(per_silence)})",
        in_digits(f"{rate.low:.1%} – {rate.high:.1%}") if rate else "",
        window.follow_up_days or None,
        window.snapshots,
        window.validations,
        written([name for name, days in marks.items() if days == window.days]),
    ]


def _recommendation(advice: Advice) -> str:
    window = advice.window(advice.window_days)
    rate = window.false_churn
    if rate:
        wrong = translated(
            "It writes off {late:.0%} of those who come back, and {false:.0%} of the customers silent that long still "
            "come back in the {days} days after.",
            late=window.late_returns,
            false=rate.value,
            days=window.follow_up_days,
        )
    else:
        wrong = translated(
            "It writes off {late:.0%} of those who come back, and the log is too short to tell how many of those "
            "silent that long still come back.",
            late=window.late_returns,
        )
    found = translated("Inactivity window: {days} days.", days=window.days)
    settings = translated(
        "Churn horizon: {horizon} days. Dormant after {dormant} days.",
        horizon=advice.horizon_days,
        dormant=advice.dormant_after_days,
    )
    return f"{found} {wrong} {settings}{_of_the_dormant(advice)}"


def _of_the_dormant(advice: Advice) -> str:
    if advice.dormant_returns is None:
        return ""
    return " " + translated(
        "Of those who reach that silence, {share:.0%} buy in the {days} days after.",
        share=advice.dormant_returns.value,
        days=advice.ahead_days,
    )


def _percent(rate: Rate | None) -> str:
    return written(rate.value, ".1%") if rate else translated("unknown")
