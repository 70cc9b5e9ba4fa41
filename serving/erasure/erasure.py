"""Erasure of customers from the score store, from campaign folders and from other tables, with a receipt.

The receipt says when, where and how many rows, and not whose: it can be kept for ever.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.errors import StayworthError
from features.files import atomic_path
from features.language import translated
from serving.delivery.outbox import SUFFIX, Outbox
from serving.erasure.tables import EXTENSIONS, Found, NoIdColumn, erase_rows
from serving.store.store import Store
from training.campaign.assignment import CONTACT_LIST, HOLDOUT_LIST
from training.campaign.record import PLAN, Erased, read_record, write_record

CUSTOMER_ID = "customer_id"
_GROUPS = {CONTACT_LIST: "contacted", HOLDOUT_LIST: "held_out", "not_selected.csv": "not_selected"}


@dataclass(frozen=True)
class Place:
    """Where rows were looked for.

    Parameters
    ----------
    name : str
        A file, or the store's address without its password.
    rows : int
        Found, and removed.
    similar : int
        Rows that stay: their ids differ in writing only.
    """

    name: str
    rows: int
    similar: int = 0


@dataclass(frozen=True)
class Receipt:
    """What was removed, without the ids.

    Parameters
    ----------
    number : str
        Random, to quote it by.
    erased_at : datetime, in UTC
    customers : int
        Asked for.
    places : tuple of Place
    """

    number: str
    erased_at: datetime
    customers: int
    places: tuple[Place, ...]

    @classmethod
    def of(cls, customers: int, places: Sequence[Place]) -> Receipt:
        """Return the receipt of an erasure that ended now."""
        now = datetime.now(UTC).replace(microsecond=0)
        return cls(secrets.token_hex(8), now, customers, tuple(places))

    @property
    def rows(self) -> int:
        """Rows removed, everywhere."""
        return sum(place.rows for place in self.places)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the receipt as JSON.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        with atomic_path(path) as beside:
            beside.write_text(json.dumps(asdict(self), indent=2, default=str) + "\n", encoding="utf-8")


def erase(
    ids: Collection[str],
    store: Store,
    paths: Sequence[Path] = (),
    column: str = CUSTOMER_ID,
    *,
    keep: bool = False,
) -> Receipt:
    """Remove customers from every published set, and from tables, folders of tables and campaigns.

    Parameters
    ----------
    ids : ids to the letter
    store : Store
    paths : files, and folders whose tables with a column of ids are looked through
    column : the column of customer ids; a table without it has ``customer_id``
    keep : bool
        Find only.

    Raises
    ------
    StayworthError
        If a file cannot be read or written, before anything is removed where that can be told.
    """
    wanted = sorted(set(ids))
    files = [file for path in paths for file in _tables(path)]
    before = {file: found for file in files if (found := _found(file, wanted, column, keep=True))}
    for path in paths:
        if path.is_file() and path not in before:
            raise NoIdColumn(
                translated("{path} has no column of customer ids. Name it: --customer-column.", path=path)
            )
    rows = store.count(wanted) if keep else store.erase(wanted)
    places = [Place(str(store.address), rows)]
    for file, found in before.items():
        if found.rows and not keep:
            _found(file, wanted, column, keep=False)
            _record(file, found.rows)
        places.append(Place(str(file), found.rows, found.similar))
    return Receipt.of(len(wanted), places)


def _tables(path: Path) -> Iterator[Path]:
    """Yield a file, or the tables of a folder and those below it."""
    if not path.exists():
        raise StayworthError(translated("There is no {path}.", path=path))
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if (file.suffix.lower() in EXTENSIONS or file.name.endswith(SUFFIX)) and file.is_file():
            yield file


def _found(file: Path, ids: list[str], column: str, *, keep: bool) -> Found | None:
    """Remove or count rows; None if the table has no column of ids."""
    if file.name.endswith(SUFFIX):
        with Outbox.opened(file) as outbox:
            return Found(outbox.erase(ids, keep=keep), 0)
    for name in dict.fromkeys((column, CUSTOMER_ID)):
        try:
            return erase_rows(file, ids, name, keep=keep)
        except NoIdColumn:
            continue
    return None


def _record(file: Path, rows: int) -> None:
    """Say in a campaign's plan how many of a group were erased, so that its draw still adds up."""
    plan, group = file.with_name(PLAN), _GROUPS.get(file.name)
    if group and plan.is_file():
        record = read_record(plan)
        erased = Erased(**{**record.erased.model_dump(), group: getattr(record.erased, group) + rows})
        with atomic_path(plan) as beside:
            write_record(record.model_copy(update={"erased": erased}), beside)
