"""The table of customers: chosen, ordered and paged by the store; kept as a segment, and taken out as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from features.customer_groups import STAGES, TIERS
from features.errors import NotThere, StayworthError
from features.language import translated, translated_in
from serving.campaign.published_list import published_rows
from serving.lists.export import write_table
from serving.lists.id_length import with_id_lengths
from serving.store.choice import Choice, Tally
from serving.store.customers import PAGE_ROWS, Customers, Page, PublishedSet
from serving.store.rankings import BANDS, ORDERS
from serving.store.segments import LONGEST_NAME
from serving.workbench.own_columns import cells_of, chosen_in_words, filters, names_of, with_cells
from serving.workbench.page import go_to, page, said
from serving.workbench.query import TableQuery, is_own
from serving.workbench.spellings import spellings
from serving.workbench.visit import SEARCH, WAIT_SECONDS, Visit
from serving.workbench.words import (
    BAND_NAMES,
    CELLS,
    COLUMN_NAMES,
    ORDER_NAMES,
    band_of,
    habit,
)
from training.model.retold_reasons import retold_reasons
from training.model.score_schema import SCORE_COLUMNS

LONGEST_SEARCH = 100
PLAN = "plan"
EXPORTS = ("csv", "xlsx", PLAN)
_FILE_COLUMNS = {"churn": "churn_probability", "reason": "reasons"}
_ORDERED = {"churn": "churn_probability"} | {
    name: name for name in ("value_at_risk", "expected_value", "last_purchase_date")
}


@dataclass(frozen=True)
class Row:
    """A customer as a row: its key in addresses, and cells in words."""

    key: str
    customer_id: str
    probability: float
    band: str
    habit: str
    cells: dict[str, str]


def show(visit: Visit) -> Response:
    """Show a page of the table."""
    store = visit.sources.store
    sets = store.customers.sets()
    if not sets:
        return page(visit, "empty.html")
    own = store.customers.own.all()
    asked, searched = _query(visit), _searched(visit)
    query = asked.ordered_among(names_of(own))
    newest = sets[0]
    replaced = query.set_id is not None and query.set_id != newest.id
    if replaced:
        query = replace(query, beyond=None, back=False)
    if searched is None:
        found = store.customers.page(query.choice, beyond=query.beyond, back=query.back)
        links = _links(query, found, newest)
    else:
        found, links = _search(store.customers, searched), {}
    tallies = store.customers.tallies()
    names = {name: translated(each) for name, each in COLUMN_NAMES.items()} | names_of(own)
    cells = cells_of(store.customers.own, own, [row.customer_id for row in found.rows])
    return page(
        visit,
        "customers.html",
        query=query,
        order_gone=query.choice != asked.choice,
        newest=newest,
        replaced=replaced,
        searched=searched,
        number=store.customers.count(query.choice),
        rows=[_row(visit, each, newest, cells.get(each.customer_id, {})) for each in found.rows],
        cut=searched is not None and found.more,
        links=links,
        options=[*options(tallies), *filters(own)],
        chosen=[
            *_chosen_in_words(query),
            *chosen_in_words(query.choice, own),
            *([translated("the dormant after the others")] if _dormant_last(query.choice) else []),
        ],
        columns=[name for name in query.columns if name in names],
        segments=store.segments.all(),
        column_names=names,
        order_names={name: translated(each) for name, each in ORDER_NAMES.items()} | names_of(own),
        ordered=_ORDERED | {name: name for name in names_of(own)},
        texts={
            "churn",
            "reason",
            "stage",
            "value_tier",
            *names_of([each for each in own if not each.numeric]),
        },
        has_own=bool(own),
        longest_name=LONGEST_NAME,
    )


def _query(visit: Visit) -> TableQuery:
    wanted = visit.query.get("segment", "")
    return segment_query(visit, wanted) if wanted else TableQuery.of(visit.query)


def segment_query(visit: Visit, wanted: str) -> TableQuery:
    """Return the choice of the segment of a number.

    Raises
    ------
    NotThere
        If there is none.
    """
    for segment in visit.sources.store.segments.all():
        if str(segment.id) == wanted:
            return TableQuery.kept(segment.choice)
    raise NotThere(translated("There is no such segment: it may have been removed."))


def _searched(visit: Visit) -> str | None:
    key = visit.query.get("found")
    return visit.sources.sealer.opened(SEARCH, key) if key else None


def _search(customers: Customers, typed: str) -> Page:
    """Return the customers whose ids begin as somebody typed, in any of its spellings."""
    pages = [customers.search(each) for each in spellings(typed)]
    rows = {row.customer_id: row for page in pages for row in page.rows}
    by_id = [rows[each] for each in sorted(rows)]
    return Page(by_id[:PAGE_ROWS], len(by_id) > PAGE_ROWS or any(page.more for page in pages))


def _links(query: TableQuery, found: Page, newest: PublishedSet) -> dict[str, str]:
    """Return the addresses of the pages before and after, where there are such pages."""
    if not found.rows:
        return {}
    before, after = (found.more, True) if query.back else (query.beyond is not None, found.more)
    links = {}
    if before:
        links["first"] = query.address()
        links["before"] = query.page(found.rows[0].rank, set_id=newest.id, back=True)
    if after:
        links["after"] = query.page(found.rows[-1].rank, set_id=newest.id)
    return links


def _row(visit: Visit, row: Any, newest: PublishedSet, own: Mapping[str, str]) -> Row:
    return Row(
        key=visit.key_of(row.customer_id),
        customer_id=row.customer_id,
        probability=row.churn_probability,
        band=band_of(row.churn_probability),
        habit=habit(row, newest.snapshot_date),
        cells={**{name: write(row) for name, write in CELLS.items()}, **own},
    )


def options(tallies: Sequence[Tally]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the field, the title and the values of each filter, those values alone that a customer has."""
    tiers, stages = {each.value_tier for each in tallies}, {each.stage for each in tallies}
    return [
        ("band", translated("Churn"), [(band, translated(BAND_NAMES[band])) for band in BANDS]),
        ("tier", translated("Tier"), [(t, translated_in("value", t)) for t in TIERS if t in tiers]),
        ("stage", translated("Stage"), [(s, translated_in("value", s)) for s in STAGES if s in stages]),
    ]


def _chosen_in_words(query: TableQuery) -> list[str]:
    choice = query.choice
    return [
        *(translated(BAND_NAMES[band]) for band in choice.bands),
        *(translated_in("value", each) for each in (*choice.tiers, *choice.stages)),
        translated("without the dormant") if choice.recent else translated("with the dormant"),
    ]


def _dormant_last(choice: Choice) -> bool:
    return choice.ordered_by == ORDERS[0] and not (choice.recent or choice.ascending)


def search(visit: Visit) -> Response:
    """Look for customers by the beginning of their ids: the browser is sent on to a sealed address."""
    wanted = visit.sent("wanted", LONGEST_SEARCH).strip()
    if not wanted:
        return go_to("/customers")
    return go_to(f"/customers?found={visit.sources.sealer.seal(SEARCH, wanted)}")


def keep_segment(visit: Visit) -> Response:
    """Keep a choice under a name."""
    query = TableQuery.of(visit.form)
    made = visit.sources.store.segments.keep(
        visit.sent("name", 4 * LONGEST_NAME), query.to_keep(), visit.who.name, wait_seconds=WAIT_SECONDS
    )
    return go_to(f"/customers?segment={made}")


def remove_segment(visit: Visit) -> Response:
    """Remove a segment."""
    number = visit.number()
    if number is not None:
        visit.sources.store.segments.remove(number, visit.who.name, wait_seconds=WAIT_SECONDS)
    return go_to("/customers")


def export(visit: Visit) -> Response:
    """Send the chosen customers, all pages, as a file with the columns that are shown; the audit says so.

    The kind ``plan`` has every column of a score instead: a list that ``stayworth plan`` reads.
    """
    own, kind = visit.sources.store.customers.own, visit.sent("kind")
    query = TableQuery.of(visit.form).ordered_among(names_of(own.all()))
    if kind not in EXPORTS:
        raise StayworthError(translated("Choose CSV, Excel, or the list for a plan."))
    of_score = [name for name in query.columns if not is_own(name)]
    shown = ("customer_id", *(_FILE_COLUMNS.get(name, name) for name in of_score))
    table, set_id = published_rows(
        visit.sources.store.customers, query.choice, SCORE_COLUMNS if kind == PLAN else shown
    )
    if set_id is None:
        nobody = translated("Nobody is chosen, so there is no list to take out.")
        return said(visit, nobody, status=400, back="/customers")
    if kind != PLAN and "reasons" in table:
        table = table.assign(reasons=list(map(retold_reasons, table["reasons"])))
    table = with_cells(table, own, query.columns)
    about = f"{len(table)} customers of set {set_id}, {kind}"
    visit.sources.store.audit.add(visit.who.name, "take out list", about, wait_seconds=WAIT_SECONDS)
    folder = tempfile.TemporaryDirectory(prefix="stayworth-")
    name = "scored.csv" if kind == PLAN else f"customers.{kind}"
    try:
        write_table(
            with_id_lengths(table) if kind == PLAN else table, Path(folder.name) / name, excel=kind != PLAN
        )
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(Path(folder.name) / name, filename=name, background=BackgroundTask(folder.cleanup))
