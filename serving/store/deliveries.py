"""Deliveries: what a webhook is to be told of a campaign's audience, until it was taken or given up.

A page asks, a worker tells. What was asked for stays in the store while it waits, so that it outlives the process; a
worker takes a delivery for some minutes, and of one that was killed the next takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.errors import NothingPublished, OlderStore
from serving.store.audit import record
from serving.store.database import WAIT_SECONDS, Database
from serving.store.tables import deliveries

PENDING, TOLD, FAILED = "pending", "told", "failed"
MOST_TRIES = 8
_TAKEN_FOR = timedelta(minutes=5)
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Delivery:
    """What is to be told of a campaign, or was.

    Parameters
    ----------
    campaign_id : int
    state : of `PENDING`, `TOLD`, `FAILED`
    asked_by, asked_at : who asked, and when
    tries : int, how often it was begun
    next_try_at : datetime, before which nobody begins
    changed_at : datetime, when its state was noted
    reason : str, why the last try failed; empty where none has
    joined, left_it, changed : int, customers who were told of
    """

    campaign_id: int
    state: str
    asked_by: str
    asked_at: datetime
    tries: int
    next_try_at: datetime
    changed_at: datetime
    reason: str
    joined: int
    left_it: int
    changed: int


class Deliveries:
    """The deliveries of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, campaign_id: int) -> Delivery | None:
        """Return the delivery of a campaign; None if nobody has asked for one."""
        return next(iter(self._found(deliveries.c.campaign_id == campaign_id)), None)

    def due(self) -> list[Delivery]:
        """Return those that wait, and whose time has come, the oldest first."""
        return self._found((deliveries.c.state == PENDING) & (deliveries.c.next_try_at <= datetime.now(UTC)))

    def given_up(self) -> frozenset[int]:
        """Return the numbers of the campaigns that are not tried again until somebody asks."""
        return frozenset(each.campaign_id for each in self._found(deliveries.c.state == FAILED))

    def _found(self, wanted: sa.ColumnElement[bool]) -> list[Delivery]:
        try:
            rows = self._database.select(sa.select(deliveries).where(wanted).order_by(deliveries.c.asked_at))
        except (NothingPublished, OlderStore):
            return []
        return [Delivery(**row._mapping) for row in rows]

    def ask(self, campaign_id: int, user_name: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Ask that the webhook be told of a campaign as it is when its turn comes; the audit says so."""
        now = datetime.now(UTC)
        row = {"state": PENDING, "asked_by": user_name, "asked_at": now, "tries": 0, "reason": ""}
        row |= {"next_try_at": now, "changed_at": now, "joined": 0, "left_it": 0, "changed": 0}
        with self._database.write(wait_seconds=wait_seconds) as connection:
            connection.execute(sa.delete(deliveries).where(deliveries.c.campaign_id == campaign_id))
            connection.execute(sa.insert(deliveries).values(campaign_id=campaign_id, **row))
            record(connection, user_name, "tell webhook", f"campaign {campaign_id}")

    def take(self, delivery: Delivery, *, wait_seconds: float = WAIT_SECONDS) -> bool:
        """Take a delivery that is due, for some minutes; False if another worker has."""
        free = deliveries.c.next_try_at == delivery.next_try_at
        taken = {"tries": delivery.tries + 1, "next_try_at": datetime.now(UTC) + _TAKEN_FOR}
        return self._note(delivery, taken, free, wait_seconds)

    def told(
        self,
        delivery: Delivery,
        joined: int,
        left_it: int,
        changed: int,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Note that a delivery was taken, and of how many it told; the audit says so."""
        numbers = {"joined": joined, "left_it": left_it, "changed": changed}
        done = {"state": TOLD, "reason": "", "changed_at": datetime.now(UTC), **numbers}
        about = f"campaign {delivery.campaign_id}, {joined} joined, {left_it} left, {changed} changed"
        self._note(delivery, done, sa.true(), wait_seconds, entry=("webhook was told", about))

    def failed(
        self,
        delivery: Delivery,
        reason: str,
        joined: int,
        left_it: int,
        changed: int,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Note why a try failed, and of how many it told; the next one is after a wait that doubles.

        After `MOST_TRIES` it is given up.
        """
        now, tries = datetime.now(UTC), delivery.tries + 1
        values: dict[str, Any] = {"reason": reason[:_LONGEST_REASON], "changed_at": now, "tries": tries}
        values |= {"joined": joined, "left_it": left_it, "changed": changed}
        given_up = tries >= MOST_TRIES
        values |= {"state": FAILED} if given_up else {"next_try_at": now + _FIRST_WAIT * 2 ** (tries - 1)}
        self._note(delivery, values, sa.true(), wait_seconds)

    def _note(
        self,
        delivery: Delivery,
        values: dict[str, Any],
        besides: sa.ColumnElement[bool],
        wait_seconds: float,
        entry: tuple[str, str] | None = None,
    ) -> bool:
        """Change a delivery that nobody has asked for anew meanwhile; tell whether it was."""
        same = (deliveries.c.campaign_id == delivery.campaign_id) & (
            deliveries.c.asked_at == delivery.asked_at
        )
        waits = deliveries.c.state == PENDING
        with self._database.write(wait_seconds=wait_seconds) as connection:
            done = connection.execute(
                sa.update(deliveries).where(same, waits, besides).values(values)
            ).rowcount
            if entry:
                record(connection, delivery.asked_by, *entry)
        return bool(done)
