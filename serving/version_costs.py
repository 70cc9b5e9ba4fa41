"""Costs of a version: what customers cost by its terms, and what each cost in the year before, where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.economics.trailing import CostFiles, TrailingYear, stated_year, trailing_year
from features.errors import StayworthError
from features.language import translated
from features.log.clock import require_known_orders
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.model.retention_model import RetentionModel


@dataclass(frozen=True)
class VersionCosts:
    """The costs that one registered version values customers by.

    Parameters
    ----------
    model : RetentionModel
    version : str
    """

    model: RetentionModel
    version: str

    def require(self, stated: Mapping[str, float]) -> None:
        """Raise a StayworthError if customers are said to cost something else than by the version's terms.

        Parameters
        ----------
        stated : mapping of name to number, `CostSettings.stated`
        """
        ours = self.model.terms.costs
        for name, cost in stated.items():
            if cost != ours[name]:
                flag = f"--{name.replace('_', '-')} {cost:g}"
                raise StayworthError(
                    translated(
                        "{flag} contradicts version {version}, whose {name} is {cost:g}. Leave it out, or train "
                        "a version with it: stayworth train {flag}",
                        flag=flag,
                        version=self.version,
                        name=name,
                        cost=ours[name],
                    )
                )

    def year_of_files(self, log: TransactionLog, snapshot: Snapshot, files: CostFiles) -> TrailingYear:
        """Return the trailing year of a log's customers by files of costs.

        Raises
        ------
        StayworthError
            If the version knows no customers' own costs.
        WindowError
            If the snapshot lies in the future.
        """
        if self.model.own_costs is None:
            raise StayworthError(
                translated(
                    "Version {version} knows no customers' own costs. Train one with these files: stayworth "
                    "train --costs costs.toml --touchpoints touchpoints.csv --receivables receivables.csv",
                    version=self.version,
                )
            )
        require_known_orders(snapshot)
        return trailing_year(log, snapshot, files, self.model.terms.inactivity_days)

    def year_of_request(
        self, log: TransactionLog, snapshot: Snapshot, costs: pd.DataFrame | None
    ) -> TrailingYear | None:
        """Return the trailing year of the customers of a live request by what they cost in it; None if nobody says.

        Raises
        ------
        StayworthError
            If the version knows no customers' own costs.
        """
        if costs is None or snapshot.date <= log.first_day:
            return None
        if self.model.own_costs is None:
            raise StayworthError(
                translated(
                    "Version {version} knows no customers' own costs. Leave `costs` out of the request.",
                    version=self.version,
                )
            )
        return stated_year(log, snapshot, costs, self.model.terms.inactivity_days)

    def columns(self, year: TrailingYear | None, customers: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of customers' own costs that scores are made by; none without a trailing year."""
        if year is None or self.model.own_costs is None or not len(customers):
            return {}
        return self.model.own_costs.columns(year, self.model.terms, customers)
