"""One request to the workbench, as its pages see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import URL, FormData, QueryParams

from features.errors import StayworthError
from features.language import translated
from serving.store.audit import LONGEST_REASON
from serving.store.store import Store
from serving.store.users import User
from serving.workbench.audience_channel import AudienceChannel
from serving.workbench.audiences import Audiences
from serving.workbench.new_orders import NewOrders
from serving.workbench.orders import KnownOrders
from serving.workbench.reports import Reports
from serving.workbench.sealing import Sealer
from serving.workbench.versions import KnownVersions

CUSTOMER, SEARCH = "customer", "search"
"""What keys in an address stand for."""

_DIGITS = 10
"""Numbers of campaigns and segments have fewer."""

WAIT_SECONDS = 5.0
"""How long a page waits for another process to end writing to the store."""


@dataclass(frozen=True)
class Sources:
    """What the pages read and write.

    Parameters
    ----------
    store : Store
    versions : KnownVersions
    sealer : Sealer
    orders : KnownOrders or None
        Of the log, where the workbench was given one.
    report : Path or None
        Folder of the economics report, where it was given one.
    reports : Reports or None
        Reports of the log, where it was given one.
    new_orders : NewOrders
        Logs that campaigns are measured on.
    channel : AudienceChannel or None
        The webhook that campaigns' audiences are told to, where there is one.
    audiences : Audiences
    """

    store: Store
    versions: KnownVersions
    sealer: Sealer
    orders: KnownOrders | None = None
    report: Path | None = None
    new_orders: NewOrders = field(default_factory=NewOrders)
    audiences: Audiences = field(default_factory=Audiences)
    channel: AudienceChannel | None = None
    reports: Reports | None = None


@dataclass(frozen=True)
class Visit:
    """A request.

    Parameters
    ----------
    sources : Sources
    user : User or None
        None before somebody has signed in.
    language : str
    csrf : str
        What the forms of the page must send back.
    session : str
        The token of the cookie.
    address : str
        Of the browser.
    url : URL
    query : QueryParams
    form : FormData
    path : mapping, the parts of the path by name
    guarded : bool
        Whether users sign in.
    """

    sources: Sources
    user: User | None
    language: str
    csrf: str
    session: str
    address: str
    url: URL
    query: QueryParams
    form: FormData
    path: Mapping[str, str] = field(default_factory=dict)
    guarded: bool = True

    @property
    def who(self) -> User:
        """The user; pages for users are shown to nobody else."""
        assert self.user is not None
        return self.user

    def sent(self, name: str, longest: int = 200) -> str:
        """Return a field of the form as text that a database holds, cut at a length; empty if it is not there."""
        value = self.form.get(name)
        return value[:longest].replace("\0", "") if isinstance(value, str) else ""

    def number(self) -> int | None:
        """Return the number in the address; None where it is none."""
        number = self.path["number"]
        return int(number) if number.isascii() and number.isdigit() and len(number) < _DIGITS else None

    def reason(self) -> str:
        """Return why something is done that cannot be taken back, as the form says.

        Raises
        ------
        StayworthError
            If it does not say.
        """
        reason = " ".join(self.sent("reason", LONGEST_REASON).split())
        if not reason:
            raise StayworthError(translated("Say why: the reason is kept with it. Nothing was changed."))
        return reason

    def key_of(self, customer_id: str) -> str:
        """Return what stands for a customer in an address."""
        return self.sources.sealer.seal(CUSTOMER, customer_id)
