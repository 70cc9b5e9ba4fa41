"""What the lists of a campaign hold, before they are taken out: how many lines, and who lacks an address."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from features.errors import StayworthError
from features.language import translatable, translated
from serving.campaign.kept import contacts_to_send
from serving.lists.contact_columns import contact_columns
from serving.lists.presets import Preset, reached
from serving.store.campaign import Campaign
from serving.workbench.visit import Visit

PLAIN, TEAM, KLAVIYO, MAILCHIMP = "plain", "team", "klaviyo", "mailchimp"
TITLES = {PLAIN: "CSV", TEAM: translatable("Excel for the team"), KLAVIYO: "Klaviyo", MAILCHIMP: "Mailchimp"}
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
    roles = contact_columns(map(str, rows.columns))
    if not {"email", "phone"} & set(roles):
        return [translated("Nobody has an address in it: no column of e-mails or phones was sent.")]
    sentences = {
        "email": translatable("{n:customer has|customers have} no e-mail address in it."),
        "phone": translatable("{n:customer has|customers have} no phone number in it."),
    }
    without = {
        role: int((rows[roles[role]].isna() | (rows[roles[role]].astype(str).str.strip() == "")).sum())
        for role in ("email", "phone")
        if role in roles
    }
    return [translated(sentences[role], n=n) for role, n in without.items() if n]
