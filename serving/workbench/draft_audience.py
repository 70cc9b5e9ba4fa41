"""The first step of a campaign: its name and its audience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translated
from serving.store.campaign import Campaign
from serving.store.campaign_changes import LONGEST_NAME
from serving.workbench.choices import Choices
from serving.workbench.customers import options, segment_query
from serving.workbench.drafting import draft_of, keep_choices, show_step
from serving.workbench.own_columns import filters
from serving.workbench.page import go_to
from serving.workbench.query import TableQuery
from serving.workbench.visit import WAIT_SECONDS, Visit


def new(visit: Visit) -> Response:
    """Ask for the name and the audience of a new campaign; the filters are those of the address."""
    return _audience_page(visit, None, TableQuery.of(visit.query))


def audience(visit: Visit) -> Response:
    """Ask for the audience again."""
    draft = draft_of(visit)
    return _audience_page(visit, draft, Choices.from_dict(draft.choices).table)


def _audience_page(
    visit: Visit, draft: Campaign | None, query: TableQuery, *, problem: str = "", name: str = ""
) -> Response:
    tallies = visit.sources.store.customers.tallies() if visit.sources.store.customers.sets() else []
    return show_step(
        visit,
        draft,
        "audience",
        problem=problem,
        query=query,
        name=name or (draft.name if draft else ""),
        number=_number(visit, query),
        options=[*options(tallies), *filters(visit.sources.store.customers.own.all())],
        segments=visit.sources.store.segments.all(),
    )


def _number(visit: Visit, query: TableQuery) -> int:
    return visit.sources.store.customers.count(query.choice)


def begin(visit: Visit) -> Response:
    """Begin a draft."""
    query, name = TableQuery.of(visit.form), visit.sent("name", 4 * LONGEST_NAME)
    store = visit.sources.store
    newest = store.campaigns.all()
    terms: Mapping[str, Any] = next((each.record["terms"] for each in newest if each.record), {})
    try:
        query = _chosen_query(visit)
        _require_somebody(visit, query)
        choices = Choices(
            query=urlencode(query.fields()),
            standing=terms.get("standing_holdout", 0.0),
            standing_seed=terms.get("standing_seed", 0),
        )
        sets = store.customers.sets()
        number = store.campaigns.begin(
            name, choices.to_dict(), sets[0].id, visit.who.name, wait_seconds=WAIT_SECONDS
        )
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _audience_page(visit, None, query, problem=str(error), name=name)
    return go_to(f"/campaigns/{number}/offers")


def choose_audience(visit: Visit) -> Response:
    """Change the audience, and the name."""
    draft, query = draft_of(visit), TableQuery.of(visit.form)
    name = visit.sent("name", 4 * LONGEST_NAME)
    try:
        query = _chosen_query(visit)
        _require_somebody(visit, query)
        choices = replace(Choices.from_dict(draft.choices), query=urlencode(query.fields()))
        keep_choices(visit, draft, choices, name=name)
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _audience_page(visit, draft, query, problem=str(error), name=name)
    return go_to(f"/campaigns/{draft.id}/offers")


def _chosen_query(visit: Visit) -> TableQuery:
    wanted = visit.sent("segment")
    return segment_query(visit, wanted) if wanted else TableQuery.of(visit.form)


def _require_somebody(visit: Visit, query: TableQuery) -> None:
    if not _number(visit, query):
        raise StayworthError(translated("Nobody is in this audience. Choose fewer filters."))
