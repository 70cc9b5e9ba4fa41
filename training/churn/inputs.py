"""Inputs of the trees: the features that every model learns from, and those of files beside the log that won a place.

A version has inputs of its own: two shops may have two sets. The columns of files stand behind `CHURN_FEATURES`, so
that a model without them reads what it always did. A category is the place of its text in the version's list; one that
was not learnt from is missing, as is everything where a table lacks a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.behaviour.catalogue import ATTRIBUTES, FILES, file_of
from features.language import translated
from features.table.baskets import GROUPS
from features.table.columns import Columns
from features.table.history import FEATURES
from features.table.own import OWN_PREFIX
from features.table.seasons import SEASONS
from training.snapshots.dataset import DescribedSnapshot

CLV_COLUMNS = ("p0", "p_alive", "expected_purchases", "spend_per_purchase")

# A constant within a snapshot: with one intercept a snapshot it could only tell the snapshots apart.
_CONSTANT = {"snapshot_weekday", "snapshot_month"}

# Nearly orders_365d, which is learnt from; and the age of customers, which grows with the log: what trees learn of
# those who were the oldest would in time be said of all. The day of the first purchase orders them alike, and stays.
_NOT_LEARNT = {"purchase_days_365d", "T", "tenure_days"}

CHURN_FEATURES: tuple[str, ...] = (
    *(f.name for f in FEATURES if f.name not in _CONSTANT | _NOT_LEARNT and not file_of(f.name)),
    *CLV_COLUMNS,
)


@dataclass(frozen=True)
class Inputs:
    """What a model's trees read: `CHURN_FEATURES`, and behind them features of files.

    Parameters
    ----------
    beside : tuple of str
        Features of files.
    categories : mapping of feature to tuple of str
        The values that were learnt from, of those that are text.

    Examples
    --------
    >>> inputs = Inputs(("attribute_region",), {"attribute_region": ("north", "south")})
    >>> orders = {name: np.zeros(3) for name in CHURN_FEATURES}
    >>> region = np.array(["south", "west", None], dtype=object)
    >>> inputs.matrix(orders | {"attribute_region": region})[:, -1]
    array([ 1., nan, nan])
    """

    beside: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def learnt(cls, names: Sequence[str], rows: Sequence[DescribedSnapshot]) -> Inputs:
        """Return the inputs with some features of files, whose categories are those of the snapshots."""
        found: dict[str, tuple[str, ...]] = {}
        for name in (each for each in names if file_of(each) == ATTRIBUTES):
            values = {value for row in rows for value in row.table[name].dropna().unique()}
            found[name] = tuple(sorted(values))
        return cls(tuple(names), found)

    @property
    def names(self) -> tuple[str, ...]:
        """All features, in the order of `matrix`."""
        return (*CHURN_FEATURES, *self.beside)

    @property
    def contributions(self) -> tuple[str, ...]:
        """What `ChurnModel.contributions` splits a customer's log-odds into."""
        return ("silence", "habit", *self.names, "constant")

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the features come from."""
        return tuple(dict.fromkeys(file for name in self.beside if (file := file_of(name))))

    def matrix(self, columns: Columns) -> np.ndarray:
        """Return the trees' inputs, of shape (n_customers, n_features), float64, NaN where undefined."""
        return np.array([self._column(name, columns) for name in self.names]).T

    def column(self, place: int, columns: Columns) -> np.ndarray:
        """Return one of the trees' inputs, as it stands in `matrix`."""
        return self._column(self.names[place], columns)

    def _column(self, name: str, columns: Columns) -> np.ndarray:
        if name not in columns and name in self.beside:
            return np.full(len(columns[CHURN_FEATURES[0]]), np.nan)
        if name not in self.categories:
            return columns[name].astype(np.float64, copy=False)
        codes = {value: float(code) for code, value in enumerate(self.categories[name])}
        return np.array([codes.get(value, np.nan) for value in columns[name].tolist()], dtype=np.float64)

    def unseen(self, columns: Columns) -> dict[str, list[str]]:
        """Return, by feature, the values that were not learnt from and count as missing, one for each customer.

        Examples
        --------
        >>> inputs = Inputs(("attribute_region",), {"attribute_region": ("north", "south")})
        >>> inputs.unseen({"attribute_region": np.array(["south", "west", None], dtype=object)})
        {'attribute_region': ['west']}
        """
        found = {}
        for name in self.categories.keys() & columns.keys():
            known = {None, *self.categories[name]}
            if values := [str(value) for value in columns[name].tolist() if value not in known]:
                found[name] = values
        return dict(sorted(found.items()))

    def stacked(self, rows: Sequence[DescribedSnapshot]) -> np.ndarray:
        """Return the inputs of several snapshots, one below the other."""
        return np.concatenate([self.matrix(row.columns) for row in rows])

    @property
    def dataset_options(self) -> dict[str, Any]:
        """What LightGBM's dataset is told of the columns; an attribute's name may be none that LightGBM allows."""
        places = [len(CHURN_FEATURES) + self.beside.index(name) for name in self.categories]
        names = [f"category_{place}" if place in places else name for place, name in enumerate(self.names)]
        return {"feature_name": names} | ({"categorical_feature": places} if places else {})

    def to_dict(self) -> dict[str, Any]:
        """Return the features of files, ready for JSON."""
        return {
            "features": list(self.beside),
            "categories": {name: list(values) for name, values in self.categories.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Inputs:
        """Read what `to_dict` wrote.

        Raises
        ------
        ValueError
            If a feature comes from no file that this release knows.
        """
        if unknown := [name for name in record["features"] if file_of(name) is None]:
            raise ValueError(translated("this release knows no feature {name!r}", name=unknown[0]))
        categories = {name: tuple(values) for name, values in record["categories"].items()}
        return cls(tuple(record["features"]), categories)


ORDERS_ALONE = Inputs()


def features_by_file(rows: Sequence[DescribedSnapshot]) -> dict[str, tuple[str, ...]]:
    """Return the features of each file that the snapshots' tables have, without those that are nowhere known.

    Those of seasons and of baskets stand in their groups, and an own feature alone, as if they came from files of these
    names.
    """
    tables = [row.table for row in rows]
    names = [str(name) for name in tables[0].columns if file_of(str(name))]
    known = [name for name in names if any(table[name].notna().any() for table in tables)]
    files = (*FILES, *GROUPS, *(name for name in known if name.startswith(OWN_PREFIX)), SEASONS)
    return {file: own for file in files if (own := tuple(name for name in known if file_of(name) == file))}
