"""The command ``plan``: from scores to a contact list and a holdout."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, say, show_json, show_table
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import translated, use_language
from serving.settings import MoneySettings, StoreSettings
from training.campaign.settings import PlanSettings
from training.cost_settings import CostSettings

if TYPE_CHECKING:
    from serving.store.campaign_changes import Basis
    from serving.store.store import Store
    from training.campaign.plan import CampaignPlan
    from training.campaign.record import InputFile


@options
def plan(
    settings: PlanSettings,
    costs: CostSettings,
    money: MoneySettings,
    store: StoreSettings,
    as_json: AsJson = False,
) -> None:
    """Choose which customers to contact with which offer, hold some out at random, and write the lists.

    Example: stayworth plan --scores scored.csv --offers offers.toml --budget 5000 --out campaign

    In the store, for the workbench too: stayworth plan --offers offers.toml --budget 5000 --name spring

    The churn window, the margin and the costs are those of the scored list. Customers who cost more than they bring are
    left out (--allow-loss-makers contacts them), the dormant (--dormant contacts them),
    and so are the customers of campaigns still running: those of --running, all in folders next to --out, and all in
    the store.

    The folder gets list.csv (customers to contact), holdout.csv (not to be contacted: they are the comparison),
    not_selected.csv (all others, with the reason), plan.json and summary.html. For a team:
    --customers crm.csv --xlsx.
    """
    from serving.campaign.folder import CampaignLists, require_new, write_campaign
    from serving.campaign.kept import drawn_of
    from serving.campaign.meant_rows import opted_out_sentences
    from serving.campaign.plan_sentences import sentences
    from serving.campaign.reader_lists import ReaderLists
    from serving.lists.contacts import Contacts
    from serving.store.store import Store
    from serving.store.users import COMMAND_LINE

    _require_no_cost_files(costs)
    if settings.out:
        require_new(settings.out)
    known = Contacts(settings.customers, loosely=settings.loose_ids) if settings.customers else None
    readers = ReaderLists(known, settings.columns, money.unit)
    with progress() as report, use_language(settings.language), Store(store.uri) as opened:
        report(translated("Planning"), 0, 0)
        if settings.name is not None:
            opened.campaigns.require_free(settings.name)
            opened.require_publishable()
        made, basis, said = _planned(settings, costs, opened)
        if known is not None and settings.customers:
            remedy = translated("{flag} leaves them alone.", flag=f"--suppress {settings.customers}")
            said += opted_out_sentences(known, made.contacted, remedy)
        # Before anything is written: the holdout can still be changed.
        say([*said, *sentences(made)], err=as_json)
        report(translated("Writing"), 0, 0)
        lists = CampaignLists.of(made, readers, _inputs(settings))
        if settings.name is not None:
            opened.campaigns.keep(settings.name, drawn_of(made, lists, readers), basis, COMMAND_LINE)
        if settings.out:
            write_campaign(
                made, settings.out, xlsx=settings.xlsx, excel=settings.excel, readers=readers, lists=lists
            )
        if settings.name is None and opened.customers.sets():
            # Or the workbench would contact the same customers a second time.
            readers.said.append(
                translated(
                    "The store does not know this campaign: with --name too, the workbench shows it and leaves its "
                    "customers alone"
                )
            )
        say(readers.said, err=as_json)
    if as_json:
        show_json(lists.record.to_dict())
        return
    with use_language(settings.language):
        _show_plan(made, settings)


def _planned(
    settings: PlanSettings, costs: CostSettings, store: Store
) -> tuple[CampaignPlan, Basis, list[str]]:
    """Make the plan, and return what it was made from, and what there is to say of the files."""
    from dataclasses import replace

    from serving.campaign.customer_files import CustomerFiles, contacts_ahead
    from serving.campaign.kept import running_in
    from serving.campaign.list_file import read_scores
    from serving.campaign.meant_rows import OPT_OUTS
    from serving.campaign.published_list import published_scores, require_zeros_as_published
    from serving.campaign.running_campaigns import running_campaigns
    from serving.store.choice import Choice
    from training.campaign.plan import plan as make_plan
    from training.offers.offer_files import read_offers

    offers = read_offers(settings.offers)
    kept, basis = running_in(store.campaigns)
    said: list[str] = []
    if settings.scores:
        scores, said = read_scores(settings.scores, settings.date_format)
        require_zeros_as_published(scores, settings.scores.name, store)
    else:
        scores, set_id = published_scores(store.customers, Choice())
        basis = replace(basis, set_id=set_id)
    files = CustomerFiles(
        scores.get("customer_id", ()),
        translated("the scored list"),
        settings.loose_ids,
        settings.allow_unmatched,
    )
    # Nobody on this list may be contacted because a spreadsheet has changed an id.
    suppress = files.ids(settings.suppress, OPT_OUTS, all_that_are_meant=True) if settings.suppress else ()
    contacts = files.past_contacts(settings.contacts, settings.date_format) if settings.contacts else None
    beside = settings.out.parent if settings.out else None
    made = make_plan(
        scores,
        offers,
        settings,
        horizon_days=settings.horizon_days,
        margin=settings.margin,
        suppress=suppress,
        contacts=contacts,
        running=running_campaigns(beside, settings.running, files, kept),
        costs=costs.stated(),
    )
    if contacts is not None and settings.contacts:
        files.report += contacts_ahead(contacts, made.starts_on, settings.contacts.name)
    return made, basis, [*said, *files.report]


def _inputs(settings: PlanSettings) -> dict[str, InputFile]:
    names = ("scores", "offers", "suppress", "contacts", "customers")
    paths = {name: getattr(settings, name) for name in names}
    return {name: _fingerprint(path) for name, path in paths.items() if path}


def _require_no_cost_files(costs: CostSettings) -> None:
    if costs.touchpoints or costs.receivables:
        raise StayworthError(
            translated(
                "The values of a scored list are net of each customer's own costs already. Give "
                "--touchpoints and --receivables to stayworth score, and its list to stayworth plan."
            )
        )


def _show_plan(made: CampaignPlan, settings: PlanSettings) -> None:
    from training.campaign.exclusions import reason_in_words

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
    if settings.name is not None:
        typer.echo(
            "\n"
            + translated(
                "The store keeps the campaign {name}: stayworth workbench shows it, "
                "stayworth campaigns export writes it",
                name=settings.name,
            )
        )
    if folder := settings.out:
        typer.echo(
            "\n"
            + translated(
                "{page} shows the plan; contact those in {list}",
                page=str(folder / "summary.html"),
                list=str(folder / "list.csv"),
            )
        )


def _fingerprint(path: Path) -> InputFile:
    from features.log.paths import files_of
    from training.campaign.record import PLAN, InputFile

    plan, found = path / PLAN, hashlib.sha256()
    for each in [plan] if plan.is_file() else files_of(path):
        with each.open("rb") as file:
            hashlib.file_digest(file, lambda: found)  # in pieces: a list may be larger than memory
    return InputFile(file=path.name, sha256=found.hexdigest())
