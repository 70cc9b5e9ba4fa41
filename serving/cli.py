"""The ``stayworth`` command: what the three packages can do, from a terminal.

Each command imports what it needs when it runs, so that help and mistakes answer at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import features.commands.features
import training.commands.advise
import training.commands.card
import training.commands.monitor
import training.commands.train
from features.commands.console import errors, progress, show_table
from features.commands.log import open_log, row_balance
from features.commands.options import config_text, options
from features.log.settings import Columns, LogSettings
from features.snapshot import Snapshot
from serving.commands.campaign import measure, plan
from serving.commands.keys import keys
from serving.settings import ScoreSettings, ServeSettings
from training.commands.backtest import backtest
from training.commands.tournament import tournament
from training.commands.versions import models, promote, rollback

if TYPE_CHECKING:
    import pandas as pd

    from features.log.report import LogReport
    from serving.lists.contacts import Contacts
    from serving.scorer import ScoredList
    from serving.store.store import Store

app = typer.Typer(name="stayworth", no_args_is_help=True, add_completion=False)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stayworth {metadata.version('stayworth')}")
        raise typer.Exit


@app.callback()
def stayworth(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """From a log of orders to who is likely to leave, what they are worth, and whom it pays to keep.

    Start with: stayworth demo
    """


@app.command()
@options
def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where to keep the log, the models and the list.")
    ] = Path("demo"),
) -> None:
    """Show the whole way on a real log, CDNOW's 69,659 orders: train, judge, promote, score.

    Example: stayworth demo
    """
    from serving.commands.demo import demo as run

    run(folder)


for command in (
    features.commands.features.features,
    training.commands.advise.advise,
    training.commands.train.train,
    training.commands.card.card,
    training.commands.monitor.monitor,
    models,
    promote,
    rollback,
    tournament,
    backtest,
    plan,
    measure,
):
    app.command()(command)


app.add_typer(keys, name="keys")


@app.command()
@options
def score(settings: ScoreSettings, log: LogSettings, columns: Columns) -> None:
    """Write every customer of a log, scored by the champion model, most value at risk first.

    Example: stayworth score --transactions orders.csv --out scored.csv

    For a campaign: stayworth score --transactions orders.csv --top 500 --customers crm.csv --out list.xlsx

    For the service: stayworth score --transactions orders.csv --publish
    """
    from serving.lists.contacts import Contacts
    from serving.lists.export import require_target, write_table
    from serving.scorer import Scorer

    for path in filter(None, (settings.out, settings.unscored)):
        require_target(path)
    with progress() as report, _store(settings) as store:
        contacts = Contacts(settings.customers) if settings.customers else None
        scorer = Scorer.from_registry(settings.tracking_uri)
        orders = open_log(log, columns, report)
        report("Scoring", 0, 0)
        snapshot = Snapshot(settings.snapshot_date) if settings.snapshot_date else None
        scored = scorer.score_log(orders, snapshot)
        chosen = _chosen(scored, settings)
        report("Writing", 0, 0)
        if settings.out:
            write_table(contacts.join(chosen) if contacts else chosen, settings.out, excel=settings.excel)
        if settings.unscored:
            write_table(scored.unscored, settings.unscored, excel=settings.excel)
        if store:
            store.publish(scored.scores, keep=settings.keep_sets, progress=report)
    _summarise(scored, chosen, orders.report, contacts, scorer.version)
    typer.echo()
    if settings.out:
        typer.echo(f"{len(chosen):,} customers in {settings.out}")
    if store:
        typer.echo(f"{len(scored.scores):,} customers published in {store.address}")


@contextmanager
def _store(settings: ScoreSettings) -> Iterator[Store | None]:
    """Open the store, if the list is to be published."""
    if not settings.publish:
        yield None
        return
    from serving.store.store import Store

    with Store(settings.store) as store:
        store.require_publishable()
        yield store


def _chosen(scored: ScoredList, settings: ScoreSettings) -> pd.DataFrame:
    """Return the part of the list that was asked for; the list is sorted by value at risk."""
    scores = scored.scores[scored.recent] if settings.recent else scored.scores
    if settings.min_value is not None:
        scores = scores[scores["value_at_risk"] >= settings.min_value]
    return scores if settings.top is None else scores.head(settings.top)


def _summarise(
    scored: ScoredList, chosen: pd.DataFrame, report: LogReport, contacts: Contacts | None, version: str
) -> None:
    """Print where every row and every customer went."""
    show_table("Log", ["", "Rows", ""], row_balance(report, scored.rows_not_visible, scored.snapshot))
    typer.echo()
    reasons = scored.unscored["reason"].value_counts().items()
    lines: list[tuple[str, int, str]] = [
        ("in the log", len(scored.scores) + len(scored.unscored), ""),
        ("scored", len(scored.scores), _money_at_risk(scored.scores)),
        *([("unscored", count, str(reason)) for reason, count in reasons] or [("unscored", 0, "")]),
        ("in the list", len(chosen), _money_at_risk(chosen)),
    ]
    if contacts is not None:
        lines.append(("with a contact", contacts.matched(chosen), f"of {len(contacts):,} in {contacts.name}"))
    show_table(f"List of {scored.snapshot}, by model {version}", ["", "Customers", ""], lines)


def _money_at_risk(scores: pd.DataFrame) -> str:
    return f"value at risk {scores['value_at_risk'].sum():,.2f}"


@app.command()
@options
def serve(settings: ServeSettings) -> None:
    """Answer over HTTP: live scores, published scores, explanations. Ends with Ctrl-C.

    Example: stayworth serve --port 3000

    For more than this machine: stayworth keys add crm-1, then stayworth serve --host 0.0.0.0 --workers 2
    """
    from serving.api.service import serve as run

    run(settings)


@app.command()
@errors()
def status(
    url: Annotated[str, typer.Argument(help="Where the service is.")] = "http://localhost:3000",
    key: Annotated[
        str | None, typer.Option("--key", envvar="STAYWORTH_KEY", help="API key, where /metrics needs one.")
    ] = None,
) -> None:
    """Show how a running service is: ready or not, its model, its registry, its score store.

    Example: stayworth status http://localhost:3000
    """
    from serving.status import read_status

    told = read_status(url, key)
    show_table(url, ["", ""], told.rows())
    if not told.ready:
        raise typer.Exit(3)


@app.command()
@errors()
def config() -> None:
    """Print a stayworth.toml with every setting at its default, explained.

    Example: stayworth config > stayworth.toml
    """
    typer.echo(config_text(), nl=False)
