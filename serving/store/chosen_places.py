"""SQL for the first customers of a choice, in its order, by their places: from an index of kinds, or a narrow table."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from serving.store.choice import Choice, Tally
from serving.store.own_column import OWN, OwnColumn
from serving.store.rankings import ORDERS
from serving.store.tables import own_places, rankings


def place_of(
    choice: Choice, columns: Sequence[OwnColumn]
) -> tuple[sa.Column[int], sa.ColumnElement[bool]] | None:
    """Return the column of places that a choice is ordered by, and the own values chosen; None: nobody has them."""
    orders = {name: own_places.c[f"score_{number}"] for number, name in enumerate(ORDERS)}
    orders |= {f"{OWN}{each.name}": own_places.c[f"own_{each.place}"] for each in columns}
    if choice.ordered_by not in orders:
        return None
    wanted, known = set(choice.own), set[str]()
    chosen: list[sa.ColumnElement[bool]] = [sa.true()]
    for column in columns:
        of_column = [each for each in column.values if each.key in wanted]
        known |= {each.key for each in of_column}
        place = own_places.c[f"own_{column.place}"]
        if of_column:
            chosen.append(sa.or_(*(place.between(each.first, each.last) for each in of_column)))
    return None if wanted - known else (orders[choice.ordered_by], sa.and_(*chosen))


def read_through(
    place: sa.Column[int],
    chosen: sa.ColumnElement[bool],
    kinds: Sequence[Tally],
    beyond: int | None,
    falling: bool,
    rows: int,
) -> sa.Subquery:
    """Return the first rows of some kinds and own values, by reading the narrow table of places to its end."""
    chosen &= own_places.c.kind.in_([each.kind for each in kinds]) & (own_places.c.set_id == kinds[0].set_id)
    if beyond is not None:
        chosen &= place < beyond if falling else place > beyond
    columns = (place.label("rank"), own_places.c.set_id, own_places.c.customer_id)
    order = place.desc() if falling else place
    return sa.select(*columns).where(chosen).order_by(order).limit(rows).subquery("found")


def found_of_kinds(
    ordered_by: str, kinds: Sequence[Tally], beyond: int | None, falling: bool, rows: int
) -> sa.Subquery:
    """Return the first rows of some kinds together: the first of each kind, which lie together, and of these the first.

    As text: of hundreds of kinds, SQLAlchemy takes longer to write the statement than the database to answer it.
    """
    direction, beyond_it = ("DESC", "<") if falling else ("", ">")
    after = "" if beyond is None else f"AND rank {beyond_it} {int(beyond)}"
    of_kind = (
        "SELECT * FROM (SELECT rank, set_id, customer_id FROM rankings WHERE ordered_by = :ordered_by "
        f"AND kind = {int(each.kind)} {after} AND set_id = {int(each.set_id)} "
        f"ORDER BY rank {direction} LIMIT {int(rows)}) AS kind_{int(each.kind)}"
        for each in kinds
    )
    text = f"{' UNION ALL '.join(of_kind)} ORDER BY rank {direction} LIMIT {int(rows)}"
    columns = (rankings.c.rank, rankings.c.set_id, rankings.c.customer_id)
    return sa.text(text).bindparams(ordered_by=ordered_by).columns(*columns).subquery("found")
