"""The campaigns of a store as they are read: all of them, one, and its customers."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import sqlalchemy as sa

from features.errors import NothingPublished, OlderStore
from serving.store.campaign import Campaign, Reached
from serving.store.campaign_changes import DRAFT, DRAWN, sound, taken
from serving.store.campaign_rows import CONTACTED, HELD_OUT, count_aside, read_contacts, read_rows
from serving.store.database import Database
from serving.store.tables import campaign_customers, campaigns

_BEGINS = 200
"""Letters of a page in which it says its language."""
_LANGUAGE = re.compile(r'<html lang="(\w+)"')


class KnownCampaigns:
    """The campaigns of a store, to be read.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Campaign]:
        """Return the campaigns, the newest first; none where there is no store, or one of an older release.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return self._found(sa.select(*_COLUMNS).order_by(campaigns.c.id.desc()))

    def drawn_versions(self) -> list[tuple[int, int]]:
        """Return the number and the version of every campaign that is no draft: another one where something changed."""
        wanted = sa.select(campaigns.c.id, campaigns.c.version).where(campaigns.c.state != DRAFT)
        return [(row.id, row.version) for row in self._database.select(wanted.order_by(campaigns.c.id))]

    def numbered(self, campaign_id: int) -> Campaign | None:
        """Return a campaign by its number; None if there is none."""
        return next(iter(self._found(sa.select(*_COLUMNS).where(campaigns.c.id == campaign_id))), None)

    def named(self, name: str) -> Campaign | None:
        """Return a campaign by its name; None if there is none."""
        return next(iter(self._found(sa.select(*_COLUMNS).where(campaigns.c.name == name))), None)

    def require_free(self, name: str) -> None:
        """Raise a StayworthError if a campaign cannot have a name, before the work is done."""
        if self.named(sound(name)):
            raise taken()

    def _found(self, statement: sa.Select[Any]) -> list[Campaign]:
        try:
            rows = self._database.select(statement)
        except (NothingPublished, OlderStore):
            return []
        return [Campaign(**row._mapping) for row in rows]

    def customers(self, campaign_id: int, *arms: str, first: int | None = None) -> pd.DataFrame:
        """Return the customers of some groups, each in its order; see `serving.store.campaign_rows.read_rows`."""
        return read_rows(self._database, campaign_id, arms, first=first)

    def contacts(self, campaign_id: int) -> pd.DataFrame:
        """Return whom a campaign contacts now, with contacts; see `serving.store.campaign_rows.read_contacts`."""
        return read_contacts(self._database, campaign_id)

    def aside(self, campaign_id: int) -> tuple[int, int]:
        """Return how many customers a draft leaves alone by a file, and how many have a contact."""
        return count_aside(self._database, campaign_id)

    def groups(self, campaign_id: int) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of the contacted, and of the held out."""
        table = campaign_customers
        rows = self._database.select(
            sa.select(table.c.customer_id, table.c.arm).where(
                table.c.campaign_id == campaign_id, table.c.arm.in_((CONTACTED, HELD_OUT))
            )
        )
        contacted, held_out = (
            frozenset(row.customer_id for row in rows if row.arm == arm) for arm in (CONTACTED, HELD_OUT)
        )
        return contacted, held_out

    def page(self, campaign_id: int, *, measured: bool = False) -> str:
        """Return the page of the plan, or that of the measurement; empty where there is none."""
        column = campaigns.c.measured_page if measured else campaigns.c.summary
        rows = self._database.select(sa.select(column).where(campaigns.c.id == campaign_id))
        return (rows[0][0] or "") if rows else ""

    def page_language(self, campaign_id: int, *, measured: bool = False) -> str:
        """Return the language that a page was written in; empty where there is none, or it does not say."""
        column = campaigns.c.measured_page if measured else campaigns.c.summary
        begins = sa.func.substr(column, 1, _BEGINS)
        rows = self._database.select(sa.select(begins).where(campaigns.c.id == campaign_id))
        found = _LANGUAGE.search((rows[0][0] or "") if rows else "")
        return found[1] if found else ""

    def of_customer(self, customer_id: str) -> list[Reached]:
        """Return the campaigns that drew a customer, the newest first.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        table = campaign_customers
        drawn = sa.select(campaigns.c.id).where(campaigns.c.state.in_(DRAWN))
        numbers = [row.id for row in self._database.select(drawn)]
        wanted = table.c.campaign_id.in_(numbers) & (table.c.customer_id == customer_id)
        theirs = [campaigns.c[name] for name in ("id", "name", "state", "starts_on", "held_until")]
        rows = self._database.select(
            sa.select(*theirs, table.c.arm, table.c.offer, table.c.removed_at.is_not(None).label("removed"))
            .select_from(campaigns.join(table, table.c.campaign_id == campaigns.c.id))
            .where(wanted, table.c.arm.in_((CONTACTED, HELD_OUT)))
            .order_by(campaigns.c.id.desc())
        )
        return [Reached(**row._mapping) for row in rows]


_COLUMNS = [campaigns.c[name] for name in Campaign.__dataclass_fields__]
