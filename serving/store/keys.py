"""API keys of the service, with scopes and limits. A key is shown once; the store keeps its SHA-256 digest."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from features.errors import NothingPublished, StoreError
from features.language import translated
from serving.settings import require_rate_limit
from serving.store.database import Database
from serving.store.tables import api_keys

ERASE = "erase"
READING = frozenset({"score", "lookup"})
"""What a key gives access to unless told otherwise."""
SCOPES = READING | {ERASE}
_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class ApiKey:
    """One API key, as stored.

    Parameters
    ----------
    name : str
        Unique among active keys.
    digest : str
        SHA-256 of the key, in hex (`digest`).
    scopes : frozenset of {"score", "lookup", "erase"}
    rate_limit : str or None
        Such as ``600/minute``, as `limits.parse` reads it; None: no limit.
    max_body_bytes : int or None
        None: the service's own limit.
    created_at : datetime, in UTC
    revoked_at : datetime, in UTC, or None while the key is active
    """

    name: str
    digest: str
    scopes: frozenset[str]
    rate_limit: str | None
    max_body_bytes: int | None
    created_at: datetime
    revoked_at: datetime | None = None


class Keys:
    """The keys of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def address(self) -> str:
        """The store's address, without its password."""
        address = self._database.address
        return str(address.file or address)

    def add(
        self,
        name: str,
        *,
        scopes: Collection[str],
        rate_limit: str | None = None,
        max_body_bytes: int | None = None,
    ) -> str:
        """Make a key, and the store if need be.

        Parameters
        ----------
        name : str
            Letters, digits, ``.``, ``_`` and ``-``, up to 64: it appears in logs and metrics.
        scopes : collection of {"score", "lookup", "erase"}
        rate_limit : str
            Such as ``600/minute`` or ``10/second``.
        max_body_bytes : int, positive

        Returns
        -------
        str
            The key. It cannot be had again.

        Raises
        ------
        StoreError
            If an active key has the name, a value is not one of those above, or the store cannot be written.
        """
        _require_sound(name, scopes, rate_limit, max_body_bytes)
        key = f"sw_{secrets.token_urlsafe(32)}"
        row = {
            "name": name,
            "digest": digest(key),
            "scopes": sorted(scopes),
            "rate_limit": rate_limit,
            "max_body_bytes": max_body_bytes,
            "created_at": datetime.now(UTC),
        }
        with self._database.write() as connection:
            try:
                connection.execute(sa.insert(api_keys).values(row))
            except IntegrityError:
                raise StoreError(
                    translated(
                        "There is an active key named {name} already. Revoke it first (stayworth keys revoke "
                        "{name}), or choose another name.",
                        name=name,
                    )
                ) from None
        return key

    def revoke(self, name: str) -> None:
        """Make the active key of a name worthless; its row stays, to tell when.

        Raises
        ------
        StoreError
            If there is no active key of the name, or the store cannot be written.
        """
        active = [key.name for key in self.all() if key.revoked_at is None]
        if name not in active:
            known = (
                translated("Active are {names}.", names=list(active))
                if active
                else translated("There is none.")
            )
            raise StoreError(
                translated("There is no active key named {name}. {known}", name=name, known=known)
            )
        revoked = sa.update(api_keys).where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        with self._database.write() as connection:
            connection.execute(revoked.values(revoked_at=datetime.now(UTC)))

    def all(self) -> list[ApiKey]:
        """Return every key, the oldest first, revoked ones too; none where there is no store.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its tables are not those of this release.
        """
        columns = [column for column in api_keys.columns if column.name != "id"]
        try:
            rows = self._database.select(sa.select(*columns).order_by(api_keys.c.id))
        except NothingPublished:
            return []
        return [ApiKey(**{**row._mapping, "scopes": frozenset(row.scopes)}) for row in rows]


def digest(key: str) -> str:
    """Return what the store keeps of a key.

    A fast hash is right here: a key is 256 random bits, so there is nothing to guess faster, unlike a password,
    for which a slow hash and salt make up. And the service computes it on every request.

    Examples
    --------
    >>> len(digest("sw_example"))
    64
    """
    return hashlib.sha256(key.encode()).hexdigest()


def _require_sound(
    name: str, scopes: Collection[str], rate_limit: str | None, max_body_bytes: int | None
) -> None:
    if not _NAME.fullmatch(name):
        raise StoreError(
            translated(
                "A key's name is of letters, digits, '.', '_' and '-', begins with a letter or digit, and"
                " has up to 64 of them, such as crm-1."
            )
        )
    unknown = sorted(set(scopes) - SCOPES)
    if not scopes:
        raise StoreError(translated("A key's scopes are of {names}, one or more.", names=sorted(SCOPES)))
    if unknown:
        raise StoreError(
            translated(
                "A key's scopes are of {names}, one or more; not {unknown}.",
                names=sorted(SCOPES),
                unknown=unknown,
            )
        )
    if rate_limit is not None:
        try:
            require_rate_limit(rate_limit)
        except ValueError as error:
            raise StoreError(str(error)) from None
    if max_body_bytes is not None and max_body_bytes < 1:
        raise StoreError(translated("The limit of a request's body is at least one byte."))
