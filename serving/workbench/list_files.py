"""The lists of a campaign, to be taken out: what each holds, how many lines, who lacks an address, and its file."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from features.errors import StayworthError
from features.language import translatable, translated
from serving.campaign.findings import UPDATED_OFFERS
from serving.campaign.kept import contacts_to_send, list_to_send, lists_of
from serving.lists.addresses import addressed
from serving.lists.export import write_table
from serving.lists.presets import Preset, reached
from serving.lists.written_list import write_list
from serving.store.campaign import Campaign
from serving.store.campaign_changes import WITHDRAWN
from serving.workbench.drafting import campaign_of
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.settings import ListColumns
from training.model.retold_reasons import retold_reasons
from training.offers.offer_files import write_offers
from training.offers.offers import Offer

PLAIN, TEAM, KLAVIYO, MAILCHIMP, FOLDER = "plain", "team", "klaviyo", "mailchimp", "folder"
TITLES = {PLAIN: "CSV", TEAM: translatable("Excel for the team"), KLAVIYO: "Klaviyo", MAILCHIMP: "Mailchimp"}
_COLUMNS: dict[str, tuple[ListColumns, str]] = {
    PLAIN: ("all", ".csv"),
    TEAM: ("team", ".xlsx"),
    KLAVIYO: ("klaviyo", ".csv"),
    MAILCHIMP: ("mailchimp", ".csv"),
}
_PRESETS: dict[str, Preset] = {KLAVIYO: "klaviyo", MAILCHIMP: "mailchimp"}


@dataclass(frozen=True)
class ListFile:
    """A list to take out: its kind, its title, its lines, and sentences on whom it lacks or cannot reach."""

    kind: str
    title: str
    lines: int
    said: tuple[str, ...]


def list_files(visit: Visit, campaign: Campaign) -> list[ListFile]:
    """Return the lists of a campaign as they are now: its contacts are read once for each change of it."""
    store = visit.sources.store

    def read() -> pd.DataFrame:
        return contacts_to_send(store.campaigns, campaign)

    rows = visit.sources.audiences.contacts(store, campaign, read)
    return [_file(kind, title, rows) for kind, title in TITLES.items()]


def _file(kind: str, title: str, rows: pd.DataFrame) -> ListFile:
    if kind not in _PRESETS:
        return ListFile(kind, translated(title), len(rows), tuple(_lacking(rows)))
    try:
        found = reached(rows, _PRESETS[kind])
    except StayworthError as error:
        return ListFile(kind, title, 0, (str(error),))
    return ListFile(kind, title, len(found.rows), found.said)


def _lacking(rows: pd.DataFrame) -> list[str]:
    """Say how many customers have no address of each kind that the contacts have."""
    found = addressed(rows)
    if not found:
        return [translated("Nobody has an address in it: no column of e-mails or phones was sent.")]
    sentences = {
        "email": translatable("{n:customer has|customers have} no e-mail address in it."),
        "phone": translatable("{n:customer has|customers have} no phone number in it."),
    }
    return [translated(sentences[role], n=len(rows) - n) for role, n in found.items() if n < len(rows)]


def download(visit: Visit) -> Response:
    """Send whom to contact in the columns of a channel, or the campaign's folder; the audit says so."""
    campaign, kind = campaign_of(visit), visit.sent("kind")
    if kind not in (*TITLES, FOLDER):
        raise StayworthError(translated("Choose one of the lists."))
    if campaign.state == WITHDRAWN and kind != FOLDER:
        raise StayworthError(translated("It was withdrawn: nobody is to be contacted."))
    folder = tempfile.TemporaryDirectory(prefix="stayworth-")
    try:
        if kind == FOLDER:
            path = _zipped(visit, campaign, Path(folder.name))
        else:
            path = _list(visit, campaign, Path(folder.name), kind)
        visit.sources.store.audit.add(
            visit.who.name, "take out list", f"campaign {campaign.id}, {kind}", wait_seconds=WAIT_SECONDS
        )
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))


def _list(visit: Visit, campaign: Campaign, folder: Path, kind: str) -> Path:
    rows, terms = list_to_send(visit.sources.store.campaigns, campaign)
    rows = rows.assign(reasons=[retold_reasons(each) for each in rows["reasons"]])
    columns, extension = _COLUMNS[kind]
    path = folder / f"campaign-{campaign.id}-{kind}{extension}"
    if kind == PLAIN:
        write_table(rows, path, excel=True)
        return path
    done = write_list(rows, path, columns, terms)
    if not done.customers:
        raise StayworthError(" ".join(done.said) or translated("Nobody is on the list."))
    return path


def _zipped(visit: Visit, campaign: Campaign, folder: Path) -> Path:
    inside = folder / "files"
    inside.mkdir()
    lists_of(visit.sources.store.campaigns, campaign).write(inside)
    if campaign.findings:
        offers = [Offer.model_validate(each) for each in campaign.findings["offers"]]
        write_offers(offers, inside / UPDATED_OFFERS)
    path = folder / f"campaign-{campaign.id}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(inside.iterdir()):
            packed.write(file, f"campaign-{campaign.id}/{file.name}")
    return path
