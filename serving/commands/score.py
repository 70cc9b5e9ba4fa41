"""The command ``score``: a scored list of a log's customers, written or published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log, row_balance
from features.commands.options import AsJson, options
from features.language import translated
from features.log.settings import Columns, LogSettings
from serving.commands.made_list import contacts_of, given_snapshot, list_document, make_list, publishable
from serving.settings import MoneySettings, ScoreSettings, StoreSettings
from training.behaviour_settings import BehaviourSettings
from training.settings import CostSettings, RegistrySettings

if TYPE_CHECKING:
    import pandas as pd

    from features.log.report import LogReport
    from serving.commands.made_list import MadeList


@options
def score(
    settings: ScoreSettings,
    log: LogSettings,
    columns: Columns,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    registry: RegistrySettings,
    store: StoreSettings,
    money: MoneySettings,
    as_json: AsJson = False,
) -> None:
    """Score every customer of a log by the champion model, most value at risk first.

    Example: stayworth score --transactions orders.csv --out scored.csv

    For a team: stayworth score --transactions orders.csv --recent --top 500 --customers crm.csv --out list.xlsx

    For the service: stayworth score --transactions orders.csv --publish

    For a warehouse: stayworth score --transactions orders.csv --to 'postgresql://crm@db/marketing?table=scores'
    """
    from serving.scorer import Scorer

    with progress() as report, publishable(store if settings.publish else None) as published:
        contacts = contacts_of(settings)
        scorer = Scorer.from_registry(registry.tracking_uri)
        scorer.require_costs(costs.stated())
        files = costs.files(log)
        beside = behaviour.files(costs, log, files)
        orders = open_log(
            log,
            columns,
            report,
            compare=lambda read: scorer.differences(read, given_snapshot(settings)),
            base=scorer.money_of,
        )
        made = make_list(
            *(settings, log, money, scorer, orders, contacts, published, report), files=files, beside=beside
        )
        if published:
            published.publish(made.scored.scores, keep=settings.keep_sets, progress=report)
    for sentence in made.said:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)
    if as_json:
        show_json(list_document(made, published))
        return
    _show_summary(made, orders.report)
    typer.echo()
    if settings.out:
        typer.echo(
            translated("{n:customer|customers} in {file}", n=made.written.customers, file=str(settings.out))
        )
    if settings.to:
        from serving.lists.list_table import ListTable

        place = str(ListTable(settings.to))
        typer.echo(translated("{n:customer|customers} in the table {table}", n=len(made.chosen), table=place))
    if published:
        published_in = str(published.address)
        typer.echo(
            translated(
                "{n:customer|customers} published in {store}",
                n=len(made.scored.scores),
                store=published_in,
            )
        )


def _show_summary(made: MadeList, report: LogReport) -> None:
    """Print where every row and every customer went."""
    scored, heads = made.scored, ["", translated("Rows"), ""]
    show_table(translated("Log"), heads, row_balance(report, scored.rows_not_visible, scored.snapshot))
    typer.echo()
    reasons = scored.unscored["reason"].value_counts().items()
    lines: list[tuple[str, int, str]] = [
        (translated("in the log"), len(scored.scores) + len(scored.unscored), ""),
        (translated("scored"), len(scored.scores), _money_at_risk(scored.scores)),
        *(
            [(translated("unscored"), count, translated(str(reason))) for reason, count in reasons]
            or [(translated("unscored"), 0, "")]
        ),
        (translated("in the list"), len(made.chosen), _money_at_risk(made.chosen)),
    ]
    if made.contacted is not None:
        lines.append(made.contacted)
    title = translated(
        "List of {day:date}, by model {version}", day=scored.snapshot.date, version=made.version
    )
    show_table(title, ["", translated("Customers"), ""], lines)


def _money_at_risk(scores: pd.DataFrame) -> str:
    return translated("value at risk {money:,.2f}", money=float(scores["value_at_risk"].sum()))
