"""The address of a table of customers: what is chosen, in which order, which columns, and where the page begins.

It holds no customer: a page begins after a rank, and a search is a sealed key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict, QueryParams

from features.customer_groups import STAGES, TIERS
from serving.store.choice import Choice
from serving.store.own_column import OWN
from serving.store.rankings import BANDS, ORDERS
from serving.workbench.words import COLUMN_NAMES, USUAL_COLUMNS

_HIGHEST_RANK = 2**31 - 1
_KEY, _LONGEST_OWN = re.compile(r"[0-9a-f]{16}"), 80
USUAL_CHOICE = Choice(recent=True)
"""All but the dormant, whom a campaign plan leaves out too."""


@dataclass(frozen=True)
class TableQuery:
    """A table of customers, as an address asks for it; what is none of ours is left out.

    Parameters
    ----------
    choice : Choice
    columns : tuple of str
    beyond : int or None
        Rank that the page begins after.
    back : bool
        The page that ends before it.
    set_id : int or None
        The set that the rank is of.

    Examples
    --------
    >>> query = TableQuery.of(QueryParams("tier=vip&tier=boss&by=customer_id&beyond=50&set=3"))
    >>> query.choice.tiers, query.choice.ordered_by, query.beyond
    (('vip',), 'value_at_risk', 50)
    >>> query.address(), query.page(100, set_id=3)
    ('/customers?tier=vip', '/customers?tier=vip&beyond=100&set=3')
    """

    choice: Choice = USUAL_CHOICE
    columns: tuple[str, ...] = USUAL_COLUMNS
    beyond: int | None = None
    back: bool = False
    set_id: int | None = None

    @classmethod
    def of(cls, sent: ImmutableMultiDict[str, Any]) -> Self:
        """Read the fields of an address or a form."""
        by = str(sent.get("by", ""))
        choice = Choice(
            tiers=_known(sent.getlist("tier"), TIERS),
            stages=_known(sent.getlist("stage"), STAGES),
            bands=_known(sent.getlist("band"), BANDS),
            own=tuple(sorted({str(key) for key in sent.getlist("own") if _KEY.fullmatch(str(key))})),
            recent=sent.get("dormant") != "1",
            ordered_by=by if by in ORDERS or is_own(by) else ORDERS[0],
            ascending=sent.get("up") == "1",
        )
        own = dict.fromkeys(str(each) for each in sent.getlist("column") if is_own(str(each)))
        columns = (*_known(sent.getlist("column"), COLUMN_NAMES), *own) or USUAL_COLUMNS
        beyond = _number(sent.get("beyond"))
        return cls(choice, columns, beyond, sent.get("back") == "1", _number(sent.get("set")))

    @classmethod
    def kept(cls, choice: Mapping[str, Any]) -> Self:
        """Read what a segment keeps."""
        return cls.of(QueryParams(str(choice.get("query", ""))))

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of an address, those alone that are not as usual."""
        pairs = [("tier", each) for each in self.choice.tiers]
        pairs += [("stage", each) for each in self.choice.stages]
        pairs += [("band", each) for each in self.choice.bands]
        pairs += [("own", each) for each in self.choice.own]
        pairs += [] if self.choice.recent else [("dormant", "1")]
        pairs += [("by", self.choice.ordered_by)] if self.choice.ordered_by != ORDERS[0] else []
        pairs += [("up", "1")] if self.choice.ascending else []
        pairs += [("column", each) for each in self.columns] if self.columns != USUAL_COLUMNS else []
        return pairs

    def address(self) -> str:
        """Return the address of the first page."""
        return _address(self.fields())

    def page(self, beyond: int, *, set_id: int, back: bool = False) -> str:
        """Return the address of the page after a rank, or before it."""
        place = [("beyond", str(beyond)), *([("back", "1")] if back else []), ("set", str(set_id))]
        return _address([*self.fields(), *place])

    def ordered(self, by: str, *, texts: bool = False) -> str:
        """Return the address of the table in another order; in the same one, the other way round.

        Numbers are shown from the highest on first, texts from the first on.
        """
        up = not self.choice.ascending if by == self.choice.ordered_by else texts
        return replace(self, choice=replace(self.choice, ordered_by=by, ascending=up)).address()

    def ordered_among(self, own: Collection[str]) -> Self:
        """Return it in the usual order, from its first page, where it is ordered by an own column that is gone."""
        by = self.choice.ordered_by
        if by in ORDERS or by in own:
            return self
        return replace(
            self, choice=replace(self.choice, ordered_by=ORDERS[0], ascending=False), beyond=None, back=False
        )

    def is_chosen(self) -> bool:
        """Tell whether some customers are left out."""
        return replace(self.choice, ordered_by=ORDERS[0], ascending=False) != USUAL_CHOICE

    def to_keep(self) -> dict[str, str]:
        """Return what a segment keeps."""
        return {"query": urlencode(self.fields())}


def is_own(name: str) -> bool:
    """Tell whether a column may be one of the operator's own."""
    return name.startswith(OWN) and len(OWN) < len(name) <= _LONGEST_OWN and name.isprintable()


def _address(pairs: Sequence[tuple[str, str]]) -> str:
    return f"/customers?{urlencode(pairs)}" if pairs else "/customers"


def _known(sent: Iterable[object], known: Iterable[str]) -> tuple[str, ...]:
    wanted = set(map(str, sent))
    return tuple(each for each in known if each in wanted)


def _number(text: object) -> int | None:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10:
        return min(int(text), _HIGHEST_RANK)
    return None
