"""Files beside the log, and the features of customers that they give at a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.behaviour.attributes import Attributes
from features.behaviour.catalogue import (
    ATTRIBUTES,
    FILES,
    RECEIVABLES,
    SOURCES,
    SURVEYS,
    TOUCHPOINTS,
    BehaviourSource,
)
from features.economics.log_agreement import match_customers, require_currency
from features.economics.receivables import Receivables
from features.economics.surveys import Surveys
from features.economics.touches import Touches
from features.engines.choice import engine_for
from features.errors import StayworthError
from features.language import translated
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.catalogue import Feature
from features.table.own import OWN_PREFIX

COMPLAINT = "complaint"

_WANTED = "wanted"
_TABLES = {TOUCHPOINTS: "touches", SURVEYS: "surveys", RECEIVABLES: "receivables"}

_SQL = """WITH visible AS ({visible}),
totals AS (
  SELECT customer_id, {totals}
  FROM visible
  GROUP BY customer_id
)
SELECT {features}
FROM wanted
LEFT JOIN totals ON totals.customer_id = wanted.customer_id
ORDER BY place"""

_ATTRIBUTES_SQL = """WITH valid AS (
  SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY valid_from DESC) AS turn
  FROM attributes
  WHERE valid_from < {snapshot}
)
SELECT {names}
FROM wanted
LEFT JOIN valid ON valid.customer_id = wanted.customer_id AND valid.turn = 1
ORDER BY place"""


@dataclass(frozen=True)
class BehaviourFiles:
    """What is known of customers beside their orders; None: there is no such file.

    Attributes
    ----------
    touches, surveys, receivables, attributes : optional
    kinds : mapping of touchpoints to "contact", "complaint" or "send"
        Of those that are not in it, ``complaint`` is a complaint, and all others are contacts.
    own : mapping of name to SQL
        The shop's own features (`features.table.own`), which come from the orders.
    baskets : tuple of str
        Features of what customers buy and pay (`features.table.baskets`), which come from the lines of the log.
    whole : bool
        Whether the rows are all there are of their customers, as those of a live request: then no row means that
        there was nothing. A file tells nothing of a snapshot before its first row.
    """

    touches: Touches | None = None
    surveys: Surveys | None = None
    receivables: Receivables | None = None
    attributes: Attributes | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    own: Mapping[str, str] = field(default_factory=dict)
    baskets: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the files that there are."""
        return tuple(name for name in FILES if self._table(name) is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The features that the files, the lines of the log and the own expressions give."""
        found = [
            feature.name for source in SOURCES if source.file in self.given for feature in source.features
        ]
        attributes = self.attributes.names if self.attributes else ()
        return (*found, *attributes, *self.baskets, *(f"{OWN_PREFIX}{name}" for name in self.own))

    def only(self, files: Collection[str]) -> BehaviourFiles:
        """Return some of the files."""
        return replace(
            self,
            touches=self.touches if TOUCHPOINTS in files else None,
            surveys=self.surveys if SURVEYS in files else None,
            receivables=self.receivables if RECEIVABLES in files else None,
            attributes=self.attributes if ATTRIBUTES in files else None,
        )

    def with_own(self, own: Mapping[str, str]) -> BehaviourFiles:
        """Return the files with own features: those that are to be tried, or that a version has learnt from."""
        return replace(self, own=dict(own))

    def with_baskets(self, names: Collection[str]) -> BehaviourFiles:
        """Return the files with features of baskets: those that are to be tried, or that a version has learnt from."""
        return replace(self, baskets=tuple(names))

    def with_kinds(self, kinds: Mapping[str, str]) -> BehaviourFiles:
        """Return the files with other kinds of touchpoints: those that a version has learnt from."""
        return replace(self, kinds=dict(kinds))

    def columns(self, snapshot: Snapshot, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return the features of customers as known at a snapshot: rows from it on play no part.

        Parameters
        ----------
        snapshot : Snapshot
        customer_ids : ndarray of shape (n_customers,) of str

        Returns
        -------
        dict of ndarrays of shape (n_customers,)
            Numbers, NaN where undefined; of attributes objects, text or None.
        """
        day = (snapshot.date - date(1970, 1, 1)).days
        found: dict[str, np.ndarray] = {}
        for source in SOURCES:
            table = self._table(source.file)
            if table is None:
                continue
            if self.whole or _begins_before(table, source.day, day):
                found |= _features(source, self._kinds_added(source, table), day, customer_ids)
            else:
                found |= {feature.name: np.full(len(customer_ids), np.nan) for feature in source.features}
        return found | (_attributes(self.attributes, day, customer_ids) if self.attributes else {})

    def silent_at(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the files that tell nothing of a snapshot, as they have no row before it."""
        day = (snapshot.date - date(1970, 1, 1)).days
        columns = {source.file: source.day for source in SOURCES} | {ATTRIBUTES: "valid_from"}
        return tuple(
            name for name in self.given if not _begins_before(self._given_table(name), columns[name], day)
        )

    def notes(self, log: TransactionLog) -> Iterator[str]:
        """Yield what to know of the files, in sentences.

        Raises
        ------
        MatchError
            If a file names no customer of the log.
        StayworthError
            If its amounts are in another currency than the log's.
        """
        if self.receivables:
            require_currency(self.receivables.currency, log.currency, "the file of receivables")
        known = pc.unique(log.table["customer_id"]).to_pylist()
        for name in self.given:
            ids = pc.unique(self._given_table(name)["customer_id"]).drop_null().to_pylist()
            if not ids:
                yield translated("The file of {name} has no rows.", name=name)
            yield from match_customers(ids, known, f"the file of {name}")[1]
            if name == ATTRIBUTES and ids and (lacking := len(set(known) - set(ids))):
                yield translated(
                    "Of {n:customer|customers} of the log, {lacking:,} have no row in the file of attributes.",
                    lacking=lacking,
                    n=len(known),
                )
        for findings in (
            self.touches and self.touches.findings,
            self.surveys and self.surveys.findings,
            self.receivables and self.receivables.findings,
            self.attributes and self.attributes.findings,
        ):
            yield from (finding.message for finding in findings or ())

    def _table(self, name: str) -> pa.Table | None:
        file = {
            TOUCHPOINTS: self.touches,
            SURVEYS: self.surveys,
            RECEIVABLES: self.receivables,
            ATTRIBUTES: self.attributes,
        }[name]
        return None if file is None else file.table

    def _given_table(self, name: str) -> pa.Table:
        table = self._table(name)
        if table is None:
            raise StayworthError(translated("There is no file of {name}.", name=name))
        return table

    def _kinds_added(self, source: BehaviourSource, table: pa.Table) -> pa.Table:
        if source.file != TOUCHPOINTS:
            return table
        names = pc.dictionary_encode(table["touchpoint"]).combine_chunks()
        kinds = pa.array([self.kind_of(name) for name in names.dictionary.to_pylist()], pa.string())
        return table.append_column("kind", kinds.take(names.indices))

    def kind_of(self, touchpoint: str) -> str:
        """Return the kind of a touchpoint."""
        usual = COMPLAINT if touchpoint.casefold() == COMPLAINT else "contact"
        return self.kinds.get(touchpoint, usual)


@dataclass(frozen=True)
class OfOneCustomer:
    """What is known of one customer, whatever name a table has for them.

    Parameters
    ----------
    files : BehaviourFiles
    customer_id : str, as in the files
    """

    files: BehaviourFiles
    customer_id: str

    @property
    def own(self) -> Mapping[str, str]:
        """Own features, by name."""
        return self.files.own

    @property
    def baskets(self) -> tuple[str, ...]:
        """Features of baskets."""
        return self.files.baskets

    def columns(self, snapshot: Snapshot, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return the customer's features of files, once for each name."""
        found = self.files.columns(snapshot, np.array([self.customer_id], dtype=object))
        return {name: np.repeat(values, len(customer_ids)) for name, values in found.items()}


def _begins_before(table: pa.Table, column: str, day: int) -> bool:
    first = pc.min(table[column]).as_py()
    return first is not None and first < day


def _wanted(customer_ids: np.ndarray) -> pa.Table:
    places = np.arange(len(customer_ids), dtype=np.int64)
    return pa.table({"place": places, "customer_id": pa.array(customer_ids, pa.string())})


def _features(
    source: BehaviourSource, table: pa.Table, day: int, customer_ids: np.ndarray
) -> dict[str, np.ndarray]:
    sql = _SQL.format(
        visible=source.visible.format(snapshot=day),
        totals=", ".join(f"{each.format(snapshot=day)} AS {name}" for name, each in source.totals.items()),
        features=", ".join(_as_double(feature, day) for feature in source.features),
    )
    with engine_for(table.num_rows + len(customer_ids)) as engine:
        engine.register(_TABLES[source.file], table)
        engine.register(_WANTED, _wanted(customer_ids))
        found = engine.query(sql)
    return {name: found[name].to_numpy() for name in found.column_names}


def _as_double(feature: Feature, day: int) -> str:
    return f"CAST({feature.expression.format(snapshot=day)} AS DOUBLE) AS {feature.name}"


def _attributes(attributes: Attributes, day: int, customer_ids: np.ndarray) -> dict[str, np.ndarray]:
    names = attributes.names
    if not names:
        return {}
    plain = [f"attribute_{number}" for number in range(len(names))]  # a column may have any name
    table = attributes.table.select(["customer_id", "valid_from", *names])
    with engine_for(table.num_rows + len(customer_ids)) as engine:
        engine.register(ATTRIBUTES, table.rename_columns(["customer_id", "valid_from", *plain]))
        engine.register(_WANTED, _wanted(customer_ids))
        found = engine.query(_ATTRIBUTES_SQL.format(snapshot=day, names=", ".join(plain)))
    return {
        name: found[column].to_numpy(zero_copy_only=False) for name, column in zip(names, plain, strict=True)
    }
