"""The commands ``plan`` and ``measure``: from scores to a contact list, and from orders to the campaign's effect."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import translated, use_language
from features.log.findings import WARNING
from features.log.settings import Columns, LogSettings
from serving.settings import MoneySettings
from training.campaign.settings import MeasureSettings, PlanSettings
from training.settings import CostSettings

if TYPE_CHECKING:
    from features.log.transactions import TransactionLog
    from training.campaign.measurement import Measurement
    from training.campaign.plan import CampaignPlan
    from training.campaign.pooling import PooledCampaigns
    from training.campaign.record import InputFile


@options
def plan(settings: PlanSettings, costs: CostSettings, money: MoneySettings, as_json: AsJson = False) -> None:
    """Choose which customers to contact with which offer, hold some out at random, and write the lists.

    Example: stayworth plan --scores scored.csv --offers offers.toml --budget 5000 --out campaign

    The churn window, the margin and the costs are those of the scored list. Customers who cost more than they bring are
    left out (--allow-loss-makers contacts them), the dormant (--dormant contacts them),
    and so are the customers of campaigns still running: those of --running, and all in folders next to --out.

    The folder gets list.csv (customers to contact), holdout.csv (not to be contacted: they are the comparison),
    not_selected.csv (all others, with the reason), plan.json and summary.html. For a team:
    --customers crm.csv --xlsx.
    """
    from serving.campaign.customer_files import CustomerFiles
    from serving.campaign.folder import require_new, write_campaign
    from serving.campaign.meant_rows import OPT_OUTS
    from serving.campaign.reader_lists import ReaderLists
    from serving.campaign.running_campaigns import running_campaigns
    from serving.campaign.scored_list import read_scores
    from serving.campaign.summary import sentences
    from serving.lists.contacts import Contacts
    from training.campaign.plan import plan as make_plan
    from training.campaign.record import PLAN, read_record
    from training.offers.offers import read_offers

    _require_no_cost_files(costs)
    require_new(settings.out)
    offers = read_offers(settings.offers)
    known = Contacts(settings.customers, loosely=settings.loose_ids) if settings.customers else None
    readers = ReaderLists(known, settings.columns, money.unit)
    with progress() as report, use_language(settings.language):
        report("Planning", 0, 0)
        scores, said = read_scores(settings.scores, settings.date_format)
        _say(said, err=as_json)
        files = CustomerFiles(
            scores.get("customer_id", ()),
            translated("the scored list"),
            settings.loose_ids,
            settings.allow_unmatched,
        )
        # Nobody on this list may be contacted because a spreadsheet has changed an id.
        suppress = (
            files.ids(settings.suppress, OPT_OUTS, all_that_are_meant=True) if settings.suppress else ()
        )
        contacts = files.past_contacts(settings.contacts, settings.date_format) if settings.contacts else None
        running = running_campaigns(settings.out.parent, settings.running, files)
        _say(files.report, err=as_json)
        made = make_plan(
            scores,
            offers,
            settings,
            horizon_days=settings.horizon_days,
            margin=settings.margin,
            suppress=suppress,
            contacts=contacts,
            running=running,
            costs=costs.stated(),
        )
        # Before anything is written: the holdout can still be changed.
        _say(sentences(made), err=as_json)
        report("Writing", 0, 0)
        paths = {
            name: getattr(settings, name)
            for name in ("scores", "offers", "suppress", "contacts", "customers")
        }
        inputs = {name: _fingerprint(path) for name, path in paths.items() if path}
        write_campaign(
            made,
            settings.out,
            xlsx=settings.xlsx,
            excel=settings.excel,
            readers=readers,
            inputs=inputs,
        )
        _say(readers.said, err=as_json)
    if as_json:
        show_json(read_record(settings.out / PLAN).to_dict())
        return
    with use_language(settings.language):
        _show_plan(made, settings.out)


def _require_no_cost_files(costs: CostSettings) -> None:
    if costs.touchpoints or costs.receivables:
        raise StayworthError(
            "The values of a scored list are net of each customer's own costs already. Give --touchpoints and "
            "--receivables to stayworth score, and its list to stayworth plan."
        )


def _show_plan(made: CampaignPlan, folder: Path) -> None:
    from training.campaign.candidates import reason_in_words

    rows = [
        [offer.name, len(part), part["expected_cost"].sum(), part["expected_profit"].sum()]
        for offer in made.offers
        if len(part := made.contacted[made.contacted["offer"] == offer.name])
    ]
    if rows:
        typer.echo()
        heads = [translated("Offer"), translated("Customers"), translated("Expected cost")]
        show_table(translated("Contacts"), [*heads, translated("Expected profit")], rows)
    reasons = made.not_selected["reason"].value_counts()
    if len(reasons):
        typer.echo()
        rows = [[reason_in_words(str(why)), int(n)] for why, n in reasons.items()]
        show_table(translated("Not selected"), ["", translated("Customers")], rows)
    typer.echo(
        "\n"
        + translated(
            "{page} shows the plan; contact those in {list}",
            page=str(folder / "summary.html"),
            list=str(folder / "list.csv"),
        )
    )


@options
def measure(settings: MeasureSettings, log: LogSettings, columns: Columns, as_json: AsJson = False) -> None:
    """Measure the effect of a campaign: contacted against held-out customers, its cost and its profit.

    Example: stayworth measure --campaign campaign --transactions new_orders.csv

    A log that begins before the campaign gives narrower intervals, because earlier spending is adjusted for.
    Writes measured.html, measured.csv, measured.json and offers.updated.toml. Several campaigns are measured each in
    its own folder, and pooled.
    """
    from serving.campaign.findings import write_findings, write_pooled
    from training.campaign.measurement_record import MeasurementRecord
    from training.campaign.pooling import pool_campaigns

    several = len(settings.campaign) > 1
    if several and settings.redeemed:
        raise StayworthError(
            "--redeemed is of one campaign. Measure each by itself, and then both without it."
        )
    with progress() as report, use_language(settings.language):
        orders = open_log(log, columns, report)
        report("Comparing", 0, 0)
        found = [_measured(campaign, orders, settings, as_json) for campaign in settings.campaign]
        folders = settings.campaign if several or not settings.out else [settings.out]
        for each, folder in zip(found, folders, strict=True):
            write_findings(each, folder)
    pooled = pool_campaigns(found) if several else None
    if pooled and settings.out:
        write_pooled(pooled, settings.out)
    if as_json:
        campaigns = [MeasurementRecord.of(each).to_dict() for each in found]
        pooled_rows = pooled.table().to_dict("records") if pooled else None
        show_json({"campaigns": campaigns, "pooled": pooled_rows})
        return
    with use_language(settings.language):
        for each, folder in zip(found, folders, strict=True):
            if several:
                typer.echo(f"\n{folder}")
            _show_measurement(each, folder)
        if pooled:
            _show_pooled(pooled)


def _measured(
    campaign: Path, orders: TransactionLog, settings: MeasureSettings, as_json: bool
) -> Measurement:
    from features.log.matching import match_ids, require_match
    from serving.campaign.customer_files import CustomerFiles
    from serving.campaign.meant_rows import REDEEMED
    from training.campaign.assignment import read_assignment
    from training.campaign.coverage import require_both_groups
    from training.campaign.measurement import measure as compare

    assignment = read_assignment(campaign)
    customers = assignment.customers["customer_id"]
    files = CustomerFiles(customers, translated("the campaign"), settings.loose_ids, settings.allow_unmatched)
    redeemed = files.ids(settings.redeemed, REDEEMED, all_that_are_meant=True) if settings.redeemed else None
    known = orders.table["customer_id"].unique().to_pylist()
    match = match_ids(customers, known, loosely=settings.loose_ids)
    said = require_match(
        match,
        translated("customers of the campaign"),
        translated("the log"),
        flag="--loose-ids",
        allow_unmatched=settings.allow_unmatched,
        all_that_are_meant=True,  # who is missed would count as one who did not buy
    )
    _say([*files.report, *said], err=as_json)
    orders = orders.with_ids({other: each for each, other in match.pairs.items()})
    if not settings.allow_unmatched:
        require_both_groups(assignment, orders)
    return compare(assignment, orders, settings, redeemed=redeemed)


def _show_measurement(found: Measurement, folder: Path) -> None:
    from serving.campaign.findings import MEASURED_PAGE, UPDATED_OFFERS
    from serving.campaign.measured import interval_level, measured_sentences, range_in_words
    from training.campaign.measurement import MEASURES

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
    from training.campaign.measurement import MEASURES

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


def _say(sentences: Iterable[str], *, err: bool) -> None:
    """Print sentences; warnings to the standard error, and beside a JSON document all."""
    for sentence in sentences:
        typer.echo(sentence, err=err or sentence.startswith(translated(WARNING, sentence="")))


def _fingerprint(path: Path) -> InputFile:
    from training.campaign.record import PLAN, InputFile

    file = path / PLAN if path.is_dir() else path
    return InputFile(file=path.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
