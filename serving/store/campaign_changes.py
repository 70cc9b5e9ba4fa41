"""How a campaign is written: its name, its version, the audit's entry, and what its plan was made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from features.errors import ChangedMeanwhile, ConfirmedMeanwhile, NotThere, StayworthError
from features.language import translatable, translated
from serving.store.audit import record as note
from serving.store.tables import campaign_customers, campaigns, score_sets

LONGEST_NAME = 60
DRAFT, PLANNED, SENT, MEASURED, WITHDRAWN = "draft", "planned", "sent", "measured", "withdrawn"
DRAWN = (PLANNED, SENT, MEASURED)
"""States of campaigns whose customers others leave alone while their windows overlap."""

CHANGED = translatable(
    "Somebody else has changed this campaign meanwhile. Nothing of yours was written over theirs: look at it again."
)


class Versioned(Protocol):
    """A campaign as it was read."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def version(self) -> int:
        """Higher by one with each change."""


@dataclass(frozen=True)
class Basis:
    """What a plan was made from.

    Parameters
    ----------
    set_id : int or None, the published list; None: a file
    beside : numbers of the campaigns whose customers it left alone, or that were looked at
    """

    set_id: int | None
    beside: Collection[int] = ()


def sound(name: str) -> str:
    """Return a name with single spaces, if it can be one."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise StayworthError(
            translated("The name of a campaign has 1 to {n:character|characters}.", n=LONGEST_NAME)
        )
    return name


def new(name: str, user_name: str) -> dict[str, Any]:
    """Return what every new campaign has."""
    now = datetime.now(UTC)
    return {
        "name": sound(name),
        "version": 1,
        "made_by": user_name,
        "made_at": now,
        "changed_at": now,
        "contact_columns": [],
    }


def taken() -> StayworthError:
    """Return the error of a name that there is already."""
    return StayworthError(translated("There is a campaign of that name already. Choose another name."))


def insert(connection: sa.Connection, row: Mapping[str, Any], user_name: str, action: str) -> int:
    """Insert a campaign, and say so in the audit; return its number."""
    try:
        made = connection.scalar(sa.insert(campaigns).values(row).returning(campaigns.c.id))
    except IntegrityError:
        raise taken() from None
    note(connection, user_name, action, f"campaign {made}")
    return int(made or 0)


def change(
    connection: sa.Connection,
    campaign: Versioned,
    values: Mapping[str, Any],
    user_name: str,
    action: str,
    reason: str = "",
    *,
    states: Sequence[str] = (),
) -> None:
    """Change a campaign of the version that was read, and say so in the audit."""
    same = (campaigns.c.id == campaign.id) & (campaigns.c.version == campaign.version)
    if states:
        same &= campaigns.c.state.in_(states)
    now = {"version": campaign.version + 1, "changed_at": datetime.now(UTC)}
    try:
        changed = connection.execute(sa.update(campaigns).where(same).values({**values, **now})).rowcount
    except IntegrityError:
        raise taken() from None
    if not changed:
        raise _overtaken(connection, campaign, states)
    note(connection, user_name, action, f"campaign {campaign.id}", reason)


def _overtaken(
    connection: sa.Connection, campaign: Versioned, states: Sequence[str]
) -> ChangedMeanwhile | NotThere:
    """Return the error that says what somebody else has made of a campaign meanwhile."""
    now = connection.execute(
        sa.select(campaigns.c.name, campaigns.c.state).where(campaigns.c.id == campaign.id)
    ).first()
    if now is None:
        return no_campaign()
    if DRAFT in states and now.state != DRAFT:
        return confirmed(now.name)
    return ChangedMeanwhile(translated(CHANGED))


def no_campaign() -> NotThere:
    """Return the error of a campaign that is not there."""
    return NotThere(translated("There is no such campaign: it may have been discarded."))


def confirmed(name: str) -> ConfirmedMeanwhile:
    """Return the error of a draft that is a campaign by now."""
    return ConfirmedMeanwhile(
        translated(
            "This draft has been confirmed: it is the campaign {name} now. Nothing was drawn a second time.",
            name=name,
        )
    )


def require_draft(connection: sa.Connection, draft: Versioned) -> None:
    """Raise an error if a draft is none any more, or was changed since it was read."""
    same = (campaigns.c.id == draft.id) & (campaigns.c.version == draft.version)
    still = sa.select(campaigns.c.id).where(same, campaigns.c.state == DRAFT)
    if connection.scalar(still) is None:
        raise _overtaken(connection, draft, (DRAFT,))


def delete_rows(connection: sa.Connection, campaign_id: int) -> None:
    """Delete the customers of a campaign."""
    connection.execute(sa.delete(campaign_customers).where(campaign_customers.c.campaign_id == campaign_id))


def contact_columns(rows: pd.DataFrame) -> list[str]:
    """Return the columns of the contacts of some rows."""
    contacts = (each for each in rows.get("contact", ()) if isinstance(each, dict))
    return list(next(contacts, {}))


def require_basis(connection: sa.Connection, basis: Basis) -> None:
    """Raise an error if what the plan was made from has changed."""
    if basis.set_id is not None:
        newest = connection.scalar(sa.select(sa.func.max(score_sets.c.id)))
        if newest != basis.set_id:
            raise ChangedMeanwhile(
                translated("A new list was published meanwhile. Plan again, from its scores.")
            )
    drawn = connection.execute(sa.select(campaigns.c.id).where(campaigns.c.state.in_(DRAWN))).scalars()
    if set(drawn) - set(basis.beside):
        raise ChangedMeanwhile(
            translated("Another campaign was planned meanwhile. Plan again: its customers are left alone.")
        )
