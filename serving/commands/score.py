"""The command ``score``: a scored list of a log's customers, written or published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_remarks
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.engines.settings import EngineSettings
from features.language import translated
from features.log.settings import Columns, LogSettings
from serving.commands.made_list import contacts_of, given_snapshot, make_list, publishable, summary_of
from serving.settings import MoneySettings, ScoreSettings, StoreSettings
from training.behaviour_settings import BehaviourSettings
from training.cost_settings import CostSettings
from training.settings import RegistrySettings

if TYPE_CHECKING:
    from serving.commands.made_list import MadeList
    from serving.store.store import Store


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
    engine: EngineSettings,
    as_json: AsJson = False,
) -> None:
    """Score every customer of a log by the champion model, most value at risk first, the dormant last.

    Example: stayworth score --transactions orders.csv --out scored.csv

    For a team: stayworth score --transactions orders.csv --recent --top 500 --customers crm.csv --out list.xlsx

    For the service: stayworth score --transactions orders.csv --publish

    On a cluster: stayworth score --engine spark --transactions main.shop.orders --to main.crm.scores

    For a warehouse: stayworth score --transactions orders.csv --to 'postgresql://crm@db/marketing?table=scores'
    """
    if engine.on_spark:
        from serving.commands.spark_score import score_on_cluster

        score_on_cluster(engine, settings, log, columns, costs, behaviour, registry, money, as_json)
        return
    from serving.scorer import Scorer

    with progress() as report, publishable(store if settings.publish else None) as published:
        contacts = contacts_of(settings)
        scorer = Scorer.from_registry(registry.tracking_uri)
        scorer.costs.require(costs.stated())
        files = costs.files(log)
        beside = behaviour.files(costs, log, files)
        orders = open_log(
            log,
            columns,
            report,
            compare=lambda read: scorer.remarks.differences(read, given_snapshot(settings)),
            base=scorer.money_of,
        )
        made = make_list(
            *(settings, log, money, scorer, orders, contacts, published, report), files=files, beside=beside
        )
        if published:
            published.publish(made.scored.table, keep=settings.keep_sets, progress=report)
    show_remarks(made.said)
    summary = summary_of(made, orders.report)
    if as_json:
        show_json(summary.document(str(published.address) if published else None))
        return
    summary.show()
    typer.echo()
    _show_places(settings, made, published)


def _show_places(settings: ScoreSettings, made: MadeList, published: Store | None) -> None:
    """Say where the list is now."""
    if settings.out:
        typer.echo(
            translated("{n:customer|customers} in {file}", n=made.written.customers, file=str(settings.out))
        )
    if settings.to:
        from serving.lists.list_table import ListTable

        place = str(ListTable(settings.to))
        typer.echo(translated("{n:customer|customers} in the table {table}", n=made.listed[0], table=place))
    if published:
        published_in = str(published.address)
        typer.echo(
            translated(
                "{n:customer|customers} published in {store}",
                n=made.scored.customers,
                store=published_in,
            )
        )
