"""The audience webhook as a channel of a campaign: it is told whom to contact, and later who is left out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.errors import DeliveryError, StayworthError
from serving.audience.changes import change_messages
from serving.campaign.kept import list_to_send
from serving.delivery.outbox import Outbox, outbox_path
from serving.delivery.settings import WebhookSettings
from serving.delivery.webhook import Message
from serving.lists.contact_columns import contact_columns
from serving.store.campaign import Campaign
from serving.store.campaign_changes import WITHDRAWN
from serving.store.campaigns import Campaigns

KIND = "audience"
_CUSTOMER_ID, _OFFER = "customer_id", "offer"


@dataclass(frozen=True)
class Told:
    """Of how many customers a webhook was told: who joined, who left, and of whom something else is told."""

    joined: int = 0
    left: int = 0
    changed: int = 0

    @classmethod
    def by(cls, messages: Sequence[Message]) -> Told:
        """Count what some messages have told."""
        return cls(
            *(sum(len(each.data[name]) for each in messages) for name in ("joined", "left", "changed"))
        )


@dataclass(frozen=True)
class AudienceChannel:
    """A webhook that campaigns' audiences are told to, by the same messages as ``stayworth sync`` sends.

    Parameters
    ----------
    settings : WebhookSettings, with an address
    store_file : Path or None
        Of a store of SQLite, beside which it is kept what was delivered.
    """

    settings: WebhookSettings
    store_file: Path | None = None

    def tell(self, campaigns: Campaigns, campaign: Campaign) -> tuple[Told, StayworthError | None]:
        """Tell who has joined the audience of a campaign, and who has left it since it was told last.

        In it are the contacted; not the held out, nor who was taken off, and nobody once it is withdrawn.

        Returns
        -------
        Of how many the webhook was told now, and why not of all: the rest is kept, and sent the next time.

        Raises
        ------
        StayworthError
            If there is no webhook or no place to keep what was delivered, or another process delivers just now.
        """
        rows, _ = list_to_send(campaigns, campaign)
        if campaign.state == WITHDRAWN:
            rows = rows.iloc[:0]
        with self.settings.opened() as webhook:
            folder = self.settings.folder(self.store_file)
            with Outbox.opened(outbox_path(folder, KIND, campaign.name, webhook.url)) as box:
                _, state, messages = change_messages(campaign.name, box.state, _told(rows))
                box.queue(state, messages)
                queued, problem = box.pending, None
                try:
                    box.deliver(webhook, lambda step, done, total: None)
                except DeliveryError as error:
                    problem = error
                left = {each.id for each in box.pending}
        return Told.by([each for each in queued if each.id not in left]), problem


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a receiver can use of each: contacts and the offer."""
    names = [*contact_columns(map(str, rows.columns)).values(), _OFFER]
    return rows[[_CUSTOMER_ID, *dict.fromkeys(names)]]
