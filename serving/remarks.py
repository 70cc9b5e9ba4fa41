"""Remarks on scores: what a version learnt from and is not told, and what it is told and cannot use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.behaviour.catalogue import ATTRIBUTES, FILES, SURVEYS, file_of
from features.behaviour.files import BehaviourFiles
from features.economics.trailing import TrailingYear
from features.language import translated
from features.log.clock import require_known_orders
from features.log.findings import Finding
from features.log.history_checks import late_snapshot
from features.log.identity import examples
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.model.retention_model import RetentionModel

_OTHER_SHARE = 0.1  # of the training rows: a log that differs by more before the same day is another


@dataclass(frozen=True)
class Remarks:
    """What a registered version says of what it is given to score.

    Parameters
    ----------
    model : RetentionModel
    version : str
        Named in the sentences.
    """

    model: RetentionModel
    version: str

    def differences(
        self,
        log: TransactionLog,
        snapshot: Snapshot | None = None,
        rows_before: Callable[[date], int] | None = None,
    ) -> list[Finding]:
        """Return why a log may be scored wrongly: read otherwise, long ended, or another than the training log.

        ``rows_before`` counts the rows before a day, where ``log`` holds a sample of the customers.
        """
        if snapshot:
            require_known_orders(snapshot)
        late = late_snapshot(log, snapshot) if snapshot else []
        return [
            *self.model.card.log.differences(log, self.version, self.model.features),
            *late,
            *self.other_history(log, rows_before),
        ]

    def other_history(
        self, log: TransactionLog, rows_before: Callable[[date], int] | None = None
    ) -> Iterator[Finding]:
        """Find a log whose past is not that of the training log: another shop's, or a part of it.

        ``rows_before`` counts the rows before a day, where ``log`` holds a sample of the customers.
        """
        reference = self.model.card.reference
        if reference is None:
            return
        counted = rows_before and reference.rows - rows_before(reference.snapshot.date)
        lost = reference.rows_lost(log) if counted is None else counted
        if abs(lost) <= _OTHER_SHARE * reference.rows:
            return
        yield Finding(
            "other-history",
            translated(
                "Before {day:date} the log has {rows:row|rows}, and version {version} learnt from {known:,}. A score "
                "needs all orders of the same shop from its beginning: if this is a part of the log, give the whole "
                "one; if it is another shop's, train on it: stayworth train --promote",
                day=reference.snapshot.date,
                rows=reference.rows - lost,
                version=self.version,
                known=reference.rows,
            ),
        )

    def money(self, log: TransactionLog) -> Iterator[str]:
        """Say whose money the values are, where it is real, and which orders have no price of their own."""
        if log.prices is None:
            return
        yield log.prices.in_words()
        if log.last_day > log.prices.known_until:
            yield translated(
                "Version {version} knows prices until {month:label}: later orders count as money of that month.",
                version=self.version,
                month=log.prices.months[-1],
            )

    def means(self, year: TrailingYear | None = None) -> tuple[str, ...]:
        """Say which costs are the version's means though customers have their own."""
        own = self.model.own_costs
        given = own.given(year) if own and year else ()
        means = [name for name in own.names if name not in given] if own else []
        if not means:
            return ()
        return (
            translated(
                "The values take {columns} from the means of version {version}: customers' own come from the files of "
                "costs that 'stayworth score' reads, or from `costs` of a request.",
                columns=means,
                version=self.version,
            ),
        )

    def of_files(
        self, log: TransactionLog, snapshot: Snapshot, beside: BehaviourFiles | None
    ) -> Iterator[str]:
        """Say what the version learnt from and the files do not tell, and which files it does not use."""
        yield from self.missing(beside, translated("The list has"))
        if beside is None or beside.whole:
            return
        yield from beside.notes(log)
        for file in beside.only(self.model.files).silent_at(snapshot):
            yield translated(
                "The file of {file} has no row before {day:date}: it tells nothing of that date.",
                file=file,
                day=snapshot.date,
            )
        for file in (SURVEYS, ATTRIBUTES):
            if file in beside.given and file not in self.model.files:
                yield translated(
                    "The file of {file} is not used: version {version} did not learn from one.",
                    file=file,
                    version=self.version,
                )

    def of_request(
        self, log: TransactionLog, beside: BehaviourFiles | None = None, year: TrailingYear | None = None
    ) -> tuple[str, ...]:
        """Return what the sender of a live request is to know about its scores; refuse another currency."""
        missing = self.missing(beside, translated("The request has"))
        fewer = self.model.card.log.request_notes(log, self.version, self.model.features)
        return (*fewer, *self.money(log), *self.means(year), *missing)

    def unseen(self, table: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
        """Return the values of attributes that the version did not learn from, of each customer who has one."""
        return {name: list(own) for each in self.model.inputs for name, own in each.unseen(table).items()}

    def of_unseen(self, found: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Name the values of attributes that the version did not learn from, as `unseen` returns them."""
        for name, values in found.items():
            yield (
                translated(
                    "{name}: version {version} did not learn from {values}, what {n:,} of the customers "
                    "have; that counts as missing.",
                    name=name,
                    version=self.version,
                    values=examples(sorted(set(values))),
                    n=len(values),
                )
            )

    def missing(self, beside: BehaviourFiles | None, what: str) -> Iterator[str]:
        """Name the features of files that the version learnt from and that are not known here."""
        known = beside.names if beside else ()
        for file in (each for each in self.model.files if each in FILES):
            lacking = [name for name in self.model.features if file_of(name) == file and name not in known]
            if lacking:
                yield (
                    translated(
                        "{what} no {file} that tell {columns}, which version {version} learnt from: they are "
                        "missing, and its probabilities are not calibrated for that.",
                        what=what,
                        file=file,
                        columns=lacking,
                        version=self.version,
                    )
                )
