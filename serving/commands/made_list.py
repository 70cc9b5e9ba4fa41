"""A list that is made: scored, cut to what was asked for, joined with contacts, and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from features.errors import WindowError
from features.language import translated
from features.log.findings import WARNING, settle
from features.log.settings import LogSettings
from features.snapshot import Snapshot
from serving.commands.replaced_list import losses
from serving.settings import MoneySettings, ScoreSettings, StoreSettings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from features.behaviour.files import BehaviourFiles
    from features.economics.money import MoneyUnit
    from features.economics.trailing import CostFiles
    from features.log.matching import IdMatch
    from features.log.report import RowBalance
    from features.log.transactions import TransactionLog
    from features.progress import Report
    from serving.commands.list_summary import ListSummary
    from serving.lists.contacts import Contacts
    from serving.lists.team_list import ListTerms
    from serving.lists.written_list import Written
    from serving.scored_list import ScoredList
    from serving.scorer import Scorer
    from serving.store.store import Store


@dataclass(frozen=True)
class MadeList:
    """A list that was scored and written, and what is to be said of it.

    Parameters
    ----------
    scored : ScoredList
    listed : tuple of customers and their value at risk in money, of the part of the scores that was asked for
    dormant : int, of those, who come after the others
    written : Written, that part in the file
    version : str
        The model's.
    contacted : tuple or None
        A line of the summary: how many of those chosen have a contact.
    said : tuple of str
        Warnings.
    """

    scored: ScoredList
    listed: tuple[int, float]
    dormant: int
    written: Written
    version: str
    contacted: tuple[str, int, str] | None
    said: tuple[str, ...]


def contacts_of(settings: ScoreSettings) -> Contacts | None:
    """Read the contacts that are to be joined; refuse files that cannot be written, before the work is done."""
    from serving.lists.contacts import Contacts
    from serving.lists.export import require_target
    from serving.lists.list_table import ListTable
    from serving.lists.written_list import columns_for

    for path in filter(None, (settings.out, settings.unscored)):
        require_target(path)
    if settings.out:
        columns_for(settings.out, settings.columns)
    if settings.to:
        ListTable(settings.to).require()
    return Contacts(settings.customers, loosely=settings.loose_ids) if settings.customers else None


def given_snapshot(settings: ScoreSettings) -> Snapshot | None:
    """Return the snapshot that the settings name; None is the day after the last order."""
    return Snapshot(settings.snapshot_date) if settings.snapshot_date else None


def make_list(
    settings: ScoreSettings,
    log: LogSettings,
    money: MoneySettings,
    scorer: Scorer,
    orders: TransactionLog,
    contacts: Contacts | None,
    published: Store | None,
    report: Report,
    *,
    files: CostFiles | None,
    beside: BehaviourFiles | None,
) -> MadeList:
    """Score a log's customers and write the list; publish nothing, but refuse what must not be published.

    Raises
    ------
    WindowError
        If no order lies before the snapshot.
    FindingError
        If the list has lost a large part of the customers of the one published in ``published``, or is of an earlier
        day.
    OutputError
        If a file cannot be written.
    """
    from features.economics.money import MoneyUnit
    from serving.lists.export import write_table
    from serving.lists.list_table import ListTable
    from serving.lists.written_list import Written, columns_for, with_column, write_list

    snapshot = given_snapshot(settings)
    require_orders(orders.first_day, snapshot)
    unit = MoneyUnit.of(money.unit, orders.currency)
    report(translated("Scoring"), 0, 0)
    scorer = replace(scorer, reasons=not settings.without_reasons)
    scored = scorer.score_log(orders, snapshot, cost_files=files, beside=beside, progress=report)
    chosen = _chosen(scored, settings)
    dormant = int((~scored.recent[chosen]).sum())
    rows, match = _rows(scored, chosen, settings, contacts)
    if orders.currency is not None:
        rows = with_column(rows, "currency", orders.currency)
    found = losses(published, scored.customers, scored.snapshot.date, settings) if published else []
    said = [
        translated(WARNING, sentence=sentence) for sentence in settle(found, log.accept, strict=log.strict)
    ]
    report(translated("Writing"), 0, 0)
    written = Written(len(chosen))
    if settings.to:
        ListTable(settings.to).write(rows, report)
    if settings.out:
        shown = columns_for(settings.out, settings.columns)
        terms = _terms(scored, scorer, unit, dormant)
        written = write_list(rows, settings.out, shown, terms, excel=settings.excel)
    if settings.unscored:
        write_table(scored.unscored, settings.unscored, excel=settings.excel)
    contacted = None
    if contacts and match:
        said += [translated(WARNING, sentence=sentence) for sentence in contacts.warnings(match)]
        of_all = translated("of {n:,} in {file}", n=len(contacts), file=contacts.name)
        contacted = (translated("with a contact"), len(match.pairs), of_all)
    said += [*written.said, *(translated("Note: {note}", note=sentence) for sentence in scored.notes)]
    listed = len(chosen), float(scored.columns["value_at_risk"][chosen].sum())
    return MadeList(scored, listed, dormant, written, scorer.version, contacted, tuple(said))


def require_orders(first_day: date, snapshot: Snapshot | None) -> None:
    """Raise a WindowError if no order lies before the snapshot."""
    if snapshot and snapshot.date <= first_day:
        raise WindowError(
            translated(
                "No order lies before {day:date}. Use --snapshot-date {first} or later.",
                day=snapshot.date,
                first=str(Snapshot.after(first_day)),
            )
        )


def _terms(scored: ScoredList, scorer: Scorer, unit: MoneyUnit, dormant: int) -> ListTerms:
    """Return what a reader of the list is told of its numbers."""
    from serving.lists.team_list import ListTerms

    day, days = scored.snapshot.date, scorer.model.terms.horizon_days
    money_of = scorer.money_of or ""
    silence = scorer.model.card.dormant_after_days if dormant else 0
    return ListTerms(unit, day, days, scorer.version, "window", day, money_of, silence)


def summary_of(made: MadeList, balance: RowBalance) -> ListSummary:
    """Return the counts of a list: where every row and every customer went."""
    from serving.commands.list_summary import ListSummary

    scored = made.scored
    return ListSummary(
        made.version,
        scored.snapshot,
        balance,
        scored.rows_not_visible,
        (scored.customers, float(scored.columns["value_at_risk"].sum())),
        {str(reason): int(n) for reason, n in scored.unscored["reason"].value_counts().items()},
        made.listed,
        made.dormant,
        made.contacted,
    )


@contextmanager
def publishable(settings: StoreSettings | None) -> Iterator[Store | None]:
    """Open the store, if the list is to be published; refuse now what cannot be written to later."""
    if settings is None:
        yield None
        return
    from serving.store.store import Store

    with Store(settings.uri) as store:
        store.require_publishable()
        yield store


def _chosen(scored: ScoredList, settings: ScoreSettings) -> npt.NDArray[np.intp]:
    """Return the places of those that were asked for; the list has the recent first, the most at risk first."""
    import numpy as np

    asked = scored.recent if settings.recent else np.ones(scored.customers, dtype=bool)
    if settings.min_value is not None:
        asked = asked & (scored.columns["value_at_risk"] >= settings.min_value)
    return np.flatnonzero(asked)[: settings.top]


def _rows(
    scored: ScoredList, chosen: npt.NDArray[np.intp], settings: ScoreSettings, contacts: Contacts | None
) -> tuple[pa.Table | pd.DataFrame, IdMatch | None]:
    """Return those rows with their contacts, and who has one; an Arrow table where the scores alone are written."""
    from serving.lists.written_list import columns_for

    plain = settings.out is None or columns_for(settings.out, settings.columns) == "all"
    if plain and contacts is None:
        return (scored if len(chosen) == scored.customers else scored.part(chosen)).table, None
    frame = scored.part(chosen).scores
    if contacts is None:
        return frame, None
    match = contacts.matched(frame)
    return contacts.join(frame, match), match
