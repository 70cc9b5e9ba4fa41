"""The command ``score``: a scored list of a log's customers, written or published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log, row_balance
from features.commands.options import AsJson, options
from features.errors import WindowError
from features.language import translated
from features.log.findings import WARNING, Finding, settle
from features.log.settings import Columns, LogSettings
from features.snapshot import Snapshot
from serving.settings import MoneySettings, ScoreSettings, StoreSettings
from training.behaviour_settings import BehaviourSettings
from training.settings import CostSettings, RegistrySettings

if TYPE_CHECKING:
    import pandas as pd

    from features.economics.money import MoneyUnit
    from features.log.report import LogReport
    from serving.lists.team_list import ListTerms
    from serving.scorer import ScoredList, Scorer
    from serving.store.store import Store

_KEPT = 0.8  # of the published customers: a smaller list is published on request only


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
    """
    from features.economics.money import MoneyUnit
    from serving.lists.contacts import Contacts
    from serving.lists.export import require_target, write_table
    from serving.lists.written_list import Written, columns_for, write_list
    from serving.scorer import Scorer

    for path in filter(None, (settings.out, settings.unscored)):
        require_target(path)
    shown = columns_for(settings.out, settings.columns) if settings.out else "all"
    with progress() as report, _publishable(store if settings.publish else None) as published:
        contacts = Contacts(settings.customers, loosely=settings.loose_ids) if settings.customers else None
        scorer = Scorer.from_registry(registry.tracking_uri)
        scorer.require_costs(costs.stated())
        files = costs.files(log)
        beside = behaviour.files(costs, log, files)
        snapshot = Snapshot(settings.snapshot_date) if settings.snapshot_date else None
        orders = open_log(
            log,
            columns,
            report,
            compare=lambda read: scorer.differences(read, snapshot),
            base=scorer.money_of,
        )
        if snapshot and snapshot.date <= orders.first_day:
            first = Snapshot.after(orders.first_day)
            raise WindowError(
                translated(
                    "No order lies before {day:date}. Use --snapshot-date {first} or later.",
                    day=snapshot.date,
                    first=str(first),
                )
            )
        unit = MoneyUnit.of(money.unit, orders.currency)
        report("Scoring", 0, 0)
        scored = scorer.score_log(orders, snapshot, cost_files=files, beside=beside)
        chosen = _chosen(scored, settings)
        match = contacts.matched(chosen) if contacts else None
        listed = contacts.join(chosen, match) if contacts else chosen
        if published:
            found = [] if settings.shrink else _shrunken(published, len(scored.scores))
            for sentence in settle(found, log.accept, strict=log.strict):
                typer.secho(translated(WARNING, sentence=sentence), fg=typer.colors.YELLOW, err=True)
        report("Writing", 0, 0)
        made = Written(len(chosen))
        if settings.out:
            rows = listed if orders.currency is None else listed.assign(currency=orders.currency)
            made = write_list(rows, settings.out, shown, _terms(scored, scorer, unit), excel=settings.excel)
        if settings.unscored:
            write_table(scored.unscored, settings.unscored, excel=settings.excel)
        if published:
            published.publish(scored.scores, keep=settings.keep_sets, progress=report)
    for sentence in contacts.warnings(match) if contacts and match else ():
        typer.secho(translated(WARNING, sentence=sentence), fg=typer.colors.YELLOW, err=True)
    for sentence in made.said:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)
    for sentence in scored.notes:
        typer.secho(translated("Note: {note}", note=sentence), fg=typer.colors.YELLOW, err=True)
    if as_json:
        show_json(_document(scored, chosen, scorer.version, published))
        return
    contacted = (
        (
            translated("with a contact"),
            len(match.pairs),
            translated("of {n:,} in {file}", n=len(contacts), file=contacts.name),
        )
        if contacts and match
        else None
    )
    _show_summary(scored, chosen, orders.report, contacted, scorer.version)
    typer.echo()
    if settings.out:
        typer.echo(translated("{n:customer|customers} in {file}", n=made.customers, file=str(settings.out)))
    if published:
        published_in = str(published.address)
        typer.echo(
            translated(
                "{n:customer|customers} published in {store}", n=len(scored.scores), store=published_in
            )
        )


def _terms(scored: ScoredList, scorer: Scorer, unit: MoneyUnit) -> ListTerms:
    """Return what a reader of the list is told of its numbers."""
    from serving.lists.team_list import ListTerms

    day, days = scored.snapshot.date, scorer.model.terms.horizon_days
    money_of = scorer.money_of or ""
    return ListTerms(unit, day, days, scorer.version, ends="window", starts=day, money_of=money_of)


def _document(
    scored: ScoredList, chosen: pd.DataFrame, version: str, published: Store | None
) -> dict[str, Any]:
    """Return what a script wants to know of a list: where every row and every customer went."""
    return {
        "model_version": version,
        "snapshot_date": scored.snapshot.date,
        "rows": {
            "in": scored.rows_in,
            "used": scored.rows_used,
            "quarantined": scored.quarantined,
            "not_yet_visible": scored.rows_not_visible,
        },
        "scored": len(scored.scores),
        "unscored": scored.unscored["reason"].value_counts().to_dict(),
        "listed": len(chosen),
        "value_at_risk": chosen["value_at_risk"].sum(),
        "published_in": str(published.address) if published else None,
    }


@contextmanager
def _publishable(settings: StoreSettings | None) -> Iterator[Store | None]:
    """Open the store, if the list is to be published; refuse now what cannot be written to later."""
    if settings is None:
        yield None
        return
    from serving.store.store import Store

    with Store(settings.uri) as store:
        store.require_publishable()
        yield store


def _shrunken(store: Store, customers: int) -> list[Finding]:
    """Return a finding if a new list has lost a large part of the published one's customers."""
    before = store.newest()
    if before is None or customers >= _KEPT * before.customers:
        return []
    return [
        Finding(
            "shrunken-list",
            translated(
                "The list has {n:customer|customers}, the published one of {day:date} has {before:,}: the others would "
                "have no score any more. Is the log whole? If it is meant: {flag}.",
                n=customers,
                day=before.snapshot_date,
                before=before.customers,
                flag="--shrink",
            ),
            fatal=True,
        )
    ]


def _chosen(scored: ScoredList, settings: ScoreSettings) -> pd.DataFrame:
    """Return the part of the list that was asked for; the list is sorted by value at risk."""
    scores = scored.scores[scored.recent] if settings.recent else scored.scores
    if settings.min_value is not None:
        scores = scores[scores["value_at_risk"] >= settings.min_value]
    return scores if settings.top is None else scores.head(settings.top)


def _show_summary(
    scored: ScoredList,
    chosen: pd.DataFrame,
    report: LogReport,
    contacted: tuple[str, int, str] | None,
    version: str,
) -> None:
    """Print where every row and every customer went."""
    heads = ["", translated("Rows"), ""]
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
        (translated("in the list"), len(chosen), _money_at_risk(chosen)),
    ]
    if contacted is not None:
        lines.append(contacted)
    title = translated("List of {day:date}, by model {version}", day=scored.snapshot.date, version=version)
    show_table(title, ["", translated("Customers"), ""], lines)


def _money_at_risk(scores: pd.DataFrame) -> str:
    return translated("value at risk {money:,.2f}", money=float(scores["value_at_risk"].sum()))
