"""An engine that knows the customers of a log by numbers, where whoever asks it knows them by their ids.

To group or to order millions of rows by text takes twice as long as by a number, and three times the memory where ids
are as long as UUIDs. The numbers are ordered as the ids are, byte by byte, so that a query gives the same rows in the
same order. It may group, join and order by ``customer_id``, and compare it with nothing but another one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.closing import Closing
from features.engines.engine import Engine

_ID = "customer_id"


class NumberedCustomers(Closing):
    """An engine for tables whose ``customer_id`` is one of the ids of a log.

    Parameters
    ----------
    engine : Engine, which runs the queries
    ids : pyarrow.DictionaryArray
        The id of each row of the tables that will be registered.

    Examples
    --------
    >>> from features.engines.duckdb import DuckDBEngine
    >>> orders = pa.table({"customer_id": ["b", "a", "b"], "cents": [100, 250, 70]})
    >>> ids = orders["customer_id"].combine_chunks().dictionary_encode()
    >>> with NumberedCustomers(DuckDBEngine(threads=1), ids) as engine:
    ...     engine.register("orders", orders)
    ...     engine.query("SELECT customer_id, sum(cents) AS cents FROM orders GROUP BY ALL ORDER BY 1").to_pylist()
    [{'customer_id': 'a', 'cents': Decimal('250')}, {'customer_id': 'b', 'cents': Decimal('170')}]
    """

    def __init__(self, engine: Engine, ids: pa.DictionaryArray) -> None:
        order = pc.sort_indices(ids.dictionary)
        numbers = np.empty(len(order), dtype=np.int32)
        numbers[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
        self._engine, self._ids = engine, ids.dictionary.take(order)
        self._numbers = pa.array(numbers[ids.indices.to_numpy()])

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, its customers by their numbers."""
        place = table.column_names.index(_ID)
        self._engine.register(name, table.set_column(place, _ID, self._numbers))

    def create(self, name: str, sql: str) -> None:
        """Run a query once and keep its result under a name, replacing what had that name."""
        self._engine.create(name, sql)

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result, its customers by their ids."""
        found = self._engine.query(sql)
        if _ID not in found.column_names:
            return found
        return found.set_column(found.column_names.index(_ID), _ID, self._ids.take(found[_ID]))

    def close(self) -> None:
        """Close the engine that runs the queries."""
        self._engine.close()
