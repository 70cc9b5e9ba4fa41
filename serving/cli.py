"""The ``stayworth`` command: the commands of the three packages, in the order of ``stayworth --help``.

Each command imports what it needs when it runs, so that help and mistakes answer at once.
"""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from features.commands.calculate import calculate
from features.commands.console import exit_codes_of
from features.commands.features import features
from features.commands.validate import validate
from serving.commands.alerts import alerts, snooze
from serving.commands.campaigns import campaigns
from serving.commands.card_of import card_of
from serving.commands.columns import columns
from serving.commands.config import config
from serving.commands.demo import demo
from serving.commands.forget import forget
from serving.commands.keys import keys
from serving.commands.measure import measure
from serving.commands.plan import plan
from serving.commands.report import report
from serving.commands.run import run
from serving.commands.score import score
from serving.commands.serve import serve, status
from serving.commands.sync import sync
from serving.commands.users import users
from serving.commands.workbench import workbench
from training.commands.advise import advise
from training.commands.backtest import backtest
from training.commands.card import card
from training.commands.monitor import monitor
from training.commands.tournament import tournament
from training.commands.train import train
from training.commands.versions import models, promote, rollback

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


for command in (
    *(demo, validate, features, advise, train, card, models, promote, rollback, monitor),
    *(score, serve, status, workbench, plan, measure, backtest, tournament, report, alerts, snooze, sync),
    *(run, card_of, forget, config),
):
    app.command()(command)
app.add_typer(calculate, name="calculate")
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")
app.add_typer(columns, name="columns")
app.add_typer(campaigns, name="campaigns")
for each in (app, *(group.typer_instance for group in app.registered_groups)):
    for known in each.registered_commands if each else ():
        known.epilog = exit_codes_of(known.callback) if known.callback else None
