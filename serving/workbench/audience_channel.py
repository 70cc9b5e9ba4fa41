"""The audience webhook as a channel of a campaign: it is told whom to contact, and later who is left out again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serving.audience.changes import Changes, change_messages
from serving.campaign.kept import list_to_send
from serving.delivery.outbox import Outbox, outbox_path
from serving.delivery.settings import WebhookSettings
from serving.lists.contact_columns import contact_columns
from serving.store.campaign_changes import WITHDRAWN
from serving.store.campaigns import Campaign, Campaigns

KIND = "audience"
_CUSTOMER_ID, _OFFER = "customer_id", "offer"


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

    def tell(self, campaigns: Campaigns, campaign: Campaign) -> Changes:
        """Tell who has joined the audience of a campaign, and who has left it since it was told last.

        In it are the contacted; not the held out, nor who was taken off, and nobody once it is withdrawn.

        Raises
        ------
        StayworthError
            If the webhook does not take everything: the rest is kept, and sent the next time.
        """
        rows, _ = list_to_send(campaigns, campaign)
        if campaign.state == WITHDRAWN:
            rows = rows.iloc[:0]
        with self.settings.opened() as webhook:
            folder = self.settings.folder(self.store_file)
            with Outbox.opened(outbox_path(folder, KIND, campaign.name, webhook.url)) as box:
                changes, state, messages = change_messages(campaign.name, box.state, _told(rows))
                box.queue(state, messages)
                box.deliver(webhook, lambda step, done, total: None)
        return changes


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a receiver can use of each: contacts and the offer."""
    names = [*contact_columns(map(str, rows.columns)).values(), _OFFER]
    return rows[[_CUSTOMER_ID, *dict.fromkeys(names)]]
