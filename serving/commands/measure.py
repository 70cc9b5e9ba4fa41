"""The command ``measure``: from orders to the effect of campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, say, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import current_language, translated, use_language
from features.log.settings import Columns, LogSettings
from serving.settings import StoreSettings
from training.campaign.settings import MeasureSettings

if TYPE_CHECKING:
    from features.log.findings import Finding
    from features.log.transactions import TransactionLog
    from serving.store.campaign import Campaign
    from serving.store.store import Store
    from training.campaign.assignment import Assignment
    from training.campaign.measurement import Measurement
    from training.campaign.pooling import PooledCampaigns


@options
def measure(
    settings: MeasureSettings,
    log: LogSettings,
    columns: Columns,
    store: StoreSettings,
    as_json: AsJson = False,
) -> None:
    """Measure the effect of a campaign: contacted against held-out customers, its cost and its profit.

    Example: stayworth measure --campaign campaign --transactions new_orders.csv

    A log that begins before the campaign gives narrower intervals, because earlier spending is adjusted for.
    Writes measured.html, measured.csv, measured.json and offers.updated.toml; what was measured of a campaign of the
    store goes there, and with --out into a folder too. Several campaigns are measured each in its own folder, and
    pooled.
    """
    from serving.campaign.findings import write_findings, write_pooled
    from serving.store.store import Store
    from training.campaign.measurement_record import MeasurementRecord
    from training.campaign.pooling import pool_campaigns

    several = len(settings.campaign) > 1
    if several and settings.redeemed:
        raise StayworthError(
            translated("--redeemed is of one campaign. Measure each by itself, and then both without it.")
        )
    with progress() as report, use_language(settings.language), Store(store.uri) as opened:
        kept = [_kept(opened, each) for each in settings.campaign]
        drawn = [_drawn(opened, *each) for each in zip(settings.campaign, kept, strict=True)]
        orders = open_log(log, columns, report, compare=lambda log: list(_differences(drawn, log)))
        report(translated("Comparing"), 0, 0)
        found = [_measured(each, orders, settings, as_json) for each in drawn]
        own = [None if campaign else place for place, campaign in zip(settings.campaign, kept, strict=True)]
        folders = own if several or not settings.out else [settings.out]
        for each, folder in zip(found, folders, strict=True):
            if folder:
                write_findings(each, folder)
        for each, campaign in zip(found, kept, strict=True):
            if campaign:
                say(_keep_findings(opened, campaign, each), err=as_json)
    pooled = pool_campaigns(found) if several else None
    if pooled and settings.out:
        write_pooled(pooled, settings.out)
    if as_json:
        campaigns = [MeasurementRecord.of(each).to_dict() for each in found]
        pooled_rows = pooled.table().to_dict("records") if pooled else None
        show_json({"campaigns": campaigns, "pooled": pooled_rows})
        return
    with use_language(settings.language):
        for each, name, folder in zip(found, settings.campaign, folders, strict=True):
            if several:
                typer.echo(f"\n{name}")
            _show_measurement(each, folder)
        if pooled:
            _show_pooled(pooled)


def _kept(store: Store, place: Path) -> Campaign | None:
    from serving.campaign.kept import campaign_named

    return campaign_named(store.campaigns, place)


def _drawn(store: Store, place: Path, campaign: Campaign | None) -> Assignment:
    from serving.campaign.kept import assignment_in
    from training.campaign.assignment import read_assignment

    return assignment_in(store.campaigns, campaign) if campaign else read_assignment(place)


def _differences(drawn: Iterable[Assignment], log: TransactionLog) -> Iterator[Finding]:
    from serving.campaign.measuring import other_currency

    for assignment in drawn:
        yield from other_currency(assignment, log)


def _measured(
    assignment: Assignment, orders: TransactionLog, settings: MeasureSettings, as_json: bool
) -> Measurement:
    from serving.campaign.measuring import measured

    found, said = measured(
        assignment,
        orders,
        settings,
        redeemed=settings.redeemed,
        loosely=settings.loose_ids,
        allow_unmatched=settings.allow_unmatched,
    )
    say(said, err=as_json)
    return found


def _keep_findings(store: Store, campaign: Campaign, found: Measurement) -> list[str]:
    """Keep what was measured; return what is to be said of it besides."""
    from serving.campaign.measured_page import measured_page
    from serving.campaign.measuring import findings_of, never_sent
    from serving.store.users import COMMAND_LINE

    said = never_sent(campaign)
    findings = {**findings_of(found), "said": said, "language": current_language()}
    store.campaigns.found(campaign, findings, measured_page(found), COMMAND_LINE, complete=found.complete)
    return said


def _show_measurement(found: Measurement, folder: Path | None) -> None:
    from serving.campaign.findings import MEASURED_PAGE, UPDATED_OFFERS
    from serving.campaign.measured import interval_level, measured_sentences, range_in_words
    from training.campaign.verdict import MEASURES

    rows = [
        [translated(MEASURES[name]), e.contacted, e.holdout, e.difference, range_in_words(e)]
        for (group, name), e in found.effects.items()
        if group == "all"
    ]
    title = translated("{start:date} to {end:date}, exclusive", start=found.start, end=found.end)
    heads = [translated("Contacted"), translated("Holdout"), translated("Difference")]
    show_table(title, ["", *heads, interval_level(found)], rows)
    typer.echo()
    for sentence in measured_sentences(found):
        typer.echo(sentence)
    for note in found.notes:
        typer.echo(translated("Note: {note}", note=note))
    if folder is None:
        typer.echo("\n" + translated("The store keeps it: stayworth workbench shows it."))
        return
    typer.echo(
        "\n"
        + translated(
            "{page} shows it; all groups in {groups}, updated offers in {offers}",
            page=str(folder / MEASURED_PAGE),
            groups=str(folder / "measured.csv"),
            offers=str(folder / UPDATED_OFFERS),
        )
    )


def _show_pooled(found: PooledCampaigns) -> None:
    from serving.campaign.measured import pooled_sentences, range_in_words
    from training.campaign.verdict import MEASURES

    rows = [
        [translated(MEASURES[name]), e.difference, range_in_words(e), pooled.between]
        for name, pooled in found.effects.items()
        for e in (pooled.effect,)
    ]
    typer.echo()
    heads = [translated("Difference"), translated("Interval"), translated("Between campaigns")]
    show_table(translated("{n:campaign|campaigns} together", n=found.campaigns), ["", *heads], rows)
    typer.echo()
    for sentence in pooled_sentences(found):
        typer.echo(sentence)
