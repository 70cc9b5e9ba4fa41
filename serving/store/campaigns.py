"""Campaigns: drafts, what was drawn of them, and what they did, from the first choice to the measurement.

Each change names the version that it was made of; of two people at once, the second is told. A campaign is kept in one
transaction, which looks whether another one was planned, or a list published, since its customers were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translated
from serving.store.campaign import Campaign, Drawn
from serving.store.campaign_changes import (
    DRAFT,
    DRAWN,
    MEASURED,
    PLANNED,
    SENT,
    WITHDRAWN,
    Basis,
    change,
    contact_columns,
    delete_rows,
    insert,
    new,
    require_basis,
    require_draft,
    sound,
)
from serving.store.campaign_rows import (
    ASIDE,
    insert_rows,
    unknown_to,
)
from serving.store.database import WAIT_SECONDS
from serving.store.known_campaigns import KnownCampaigns
from serving.store.loading import renew_statistics
from serving.store.tables import campaign_customers, campaigns, scores

_NEXT = {PLANNED: (SENT, WITHDRAWN), SENT: (WITHDRAWN,), MEASURED: (), WITHDRAWN: (), DRAFT: ()}


class Campaigns(KnownCampaigns):
    """The campaigns of a store, to be read and changed."""

    def begin(
        self,
        name: str,
        choices: Mapping[str, Any],
        set_id: int,
        user_name: str,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> int:
        """Begin a draft under a new name; return its number.

        Raises
        ------
        StayworthError
            If the name is empty, too long or taken.
        StoreError
            If the store cannot be written.
        """
        row = {**new(name, user_name), "state": DRAFT, "choices": dict(choices), "set_id": set_id}
        with self._database.write(wait_seconds=wait_seconds) as connection:
            return insert(connection, row, user_name, "begin campaign")

    def choose(
        self,
        campaign: Campaign,
        choices: Mapping[str, Any],
        user_name: str,
        *,
        name: str | None = None,
        set_id: int | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Change what a draft is to be; the name and the published list too, where they are given.

        Raises
        ------
        ChangedMeanwhile
            If somebody else has changed it since.
        StayworthError
            If the name is taken.
        """
        values: dict[str, Any] = {"choices": dict(choices)}
        if name is not None:
            values["name"] = sound(name)
        if set_id is not None:
            values["set_id"] = set_id
        with self._database.write(wait_seconds=wait_seconds) as connection:
            change(connection, campaign, values, user_name, "change draft", states=(DRAFT,))

    def set_aside(
        self, campaign: Campaign, rows: pd.DataFrame, user_name: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Replace the rows of a draft: ``customer_id`` with ``reason``, not empty of those left alone, and ``contact``.

        Raises
        ------
        ChangedMeanwhile
            If somebody else has changed it since.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            values = {"contact_columns": contact_columns(rows)}
            change(connection, campaign, values, user_name, "upload for draft", states=(DRAFT,))
            delete_rows(connection, campaign.id)
            insert_rows(connection, campaign.id, ASIDE, rows)

    def keep(
        self,
        name: str,
        drawn: Drawn,
        basis: Basis,
        user_name: str,
        *,
        draft: Campaign | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> int:
        """Keep what was drawn, in place of its draft where there is one; return the campaign's number.

        Raises
        ------
        ChangedMeanwhile
            If the draft was changed or confirmed, another campaign was planned, a new list was published, or one of
            the customers was erased since the customers were chosen.
        NotThere
            If the draft was discarded.
        StayworthError
            If the name is empty, too long or taken.
        StoreError
            If the store cannot be written.
        """
        values = {
            **{field: getattr(drawn, field) for field in ("record", "starts_on", "closes_on", "held_until")},
            **{"summary": drawn.summary, "contact_columns": list(drawn.contact_columns)},
            **{"money_unit": drawn.money_unit, "state": PLANNED, "set_id": basis.set_id},
        }
        with self._database.write(wait_seconds=wait_seconds) as connection:
            if connection.dialect.name == "postgresql":
                for table in ("score_sets", "campaigns"):
                    connection.execute(sa.text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
            if draft is not None:  # its own campaign is no other one
                require_draft(connection, draft)
            require_basis(connection, basis)
            if draft is None:
                row = {**new(name, user_name), "choices": {}, **values}
                number = insert(connection, row, user_name, "plan campaign")
            else:
                number = draft.id
                change(connection, draft, values, user_name, "plan campaign", states=(DRAFT,))
                delete_rows(connection, number)
            for arm, rows in drawn.groups.items():
                insert_rows(connection, number, arm, rows)
            renew_statistics(connection, campaign_customers)
            if basis.set_id is not None and unknown_to(connection, number, scores, basis.set_id):
                raise ChangedMeanwhile(
                    translated("Customers were erased meanwhile. Plan again: they are left out then.")
                )
        return number

    def move(
        self,
        campaign: Campaign,
        state: str,
        user_name: str,
        reason: str = "",
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Say that a campaign was sent, or is withdrawn.

        Raises
        ------
        StayworthError
            If it is not in a state before that.
        ChangedMeanwhile
            If somebody else has changed it since.
        """
        if state not in _NEXT[campaign.state]:
            raise StayworthError(
                translated("That comes too late: the campaign was sent, measured or withdrawn already.")
            )
        with self._database.write(wait_seconds=wait_seconds) as connection:
            action = {SENT: "send campaign", WITHDRAWN: "withdraw campaign"}[state]
            change(connection, campaign, {"state": state}, user_name, action, reason)

    def discard(self, campaign: Campaign, user_name: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Delete a draft.

        Raises
        ------
        ChangedMeanwhile
            If somebody else has changed it since.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            change(connection, campaign, {}, user_name, "discard draft", states=(DRAFT,))
            delete_rows(connection, campaign.id)
            connection.execute(sa.delete(campaigns).where(campaigns.c.id == campaign.id))

    def take_off(
        self,
        campaign: Campaign,
        customer_id: str,
        user_name: str,
        reason: str = "",
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Take a customer off the lists that are sent from now on; in the measurement they count as drawn.

        Raises
        ------
        StayworthError
            If the campaign does not contact the customer, or no longer.
        ChangedMeanwhile
            If somebody else has changed it since.
        """
        table = campaign_customers
        wanted = (table.c.campaign_id == campaign.id) & (table.c.customer_id == customer_id)
        still = (table.c.arm == "contacted") & table.c.removed_at.is_(None)
        with self._database.write(wait_seconds=wait_seconds) as connection:
            change(connection, campaign, {}, user_name, "take customer off", reason, states=(PLANNED, SENT))
            now = datetime.now(UTC)
            done = connection.execute(sa.update(table).where(wanted, still).values(removed_at=now))
            if not done.rowcount:
                raise StayworthError(
                    translated("No customer of this id is on the list to contact. Nothing was changed.")
                )

    def found(
        self,
        campaign: Campaign,
        findings: Mapping[str, Any],
        page: str,
        user_name: str,
        *,
        complete: bool,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Keep what was measured, in place of an earlier look; a campaign whose window is over is measured then.

        Raises
        ------
        ChangedMeanwhile
            If somebody else has changed it since.
        """
        values: dict[str, Any] = {"findings": dict(findings), "measured_page": page}
        if complete:
            values["state"] = MEASURED
        with self._database.write(wait_seconds=wait_seconds) as connection:
            change(connection, campaign, values, user_name, "measure campaign", states=DRAWN)
