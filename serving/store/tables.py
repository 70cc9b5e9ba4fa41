"""The tables of the store, as the newest migration leaves them.

The columns of a score are those of :mod:`training.model.score_schema`; after a change there, generate a migration.

::

    score_sets   one row per publication, with the values that all its scores share; the greatest id is the newest
    scores       one row per customer of a set
    alerts       one row per open alert
    api_keys     clients of the service, their scopes and limits
    rankings     the customers of the newest set in each order that a table shows, by kind
    tallies      the kinds that it filters by, and how many customers there are of each
    own_columns  columns of the operator's own, by which the table is filtered and ordered too
    own_rows     their cells
    own_places   the newest set by kind, in each order, those of own columns too
    users        who may use the workbench, and their sessions: user_sessions
    segments     what a user chose of the customers, under a name
    campaigns    one row per campaign, from its draft to what was measured of it
    campaign_customers   who is contacted, held out or left alone, as they were drawn
    deliveries   what a webhook is to be told of a campaign's audience, and how that went
    audit        what was written, when and by whom
    secrets      the key of the workbench's links

A floating-point number is kept in 64 bits by both databases, so it comes back to the last digit. Customer ids are
compared byte by byte: ``0042`` is not ``42``, ``Ali`` not ``ali``.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from training.model.score_schema import SCHEMA, Column

MIGRATIONS = Path(__file__).parent / "migrations"

SCHEMA_VERSION = max(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The newest revision in ``migrations/versions``; revisions count upwards, so that older and newer can be told."""

MOST_OWN_COLUMNS = 12

VERSION_TABLE = "stayworth_schema"
"""Not Alembic's usual name: the store may share a database with MLflow, whose migrations are Alembic's too."""


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC, aware; SQLite, which knows no time zones, keeps its UTC digits."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC, whatever the session's time zone."""
        return value and as_utc(value)


class Document(sa.TypeDecorator[Any]):
    """A value of JSON as text, NaN too, which PostgreSQL's own type does not take."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: sa.Dialect) -> str | None:
        """Return the text."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any | None:
        """Return what the text says."""
        return value and json.loads(value)


def as_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; without a time zone it is in UTC already.

    Examples
    --------
    >>> as_utc(datetime.fromisoformat("2026-01-05T12:30:00+03:30")).isoformat()
    '2026-01-05T09:00:00+00:00'
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id() -> sa.Text:
    """Text ordered and compared by its bytes, as SQLite does; PostgreSQL follows a language unless told not to."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


_SQL: dict[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    float: sa.Double,
    int: sa.Integer,
    date: sa.Date,
    list: sa.JSON,
}


def _stored(column: Column) -> sa.Column[Any]:
    return sa.Column(column.name, _SQL[column.type], nullable=column.nullable)


metadata = sa.MetaData()

score_sets = sa.Table(
    "score_sets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    *(_stored(column) for column in SCHEMA.values() if column.per_list),
    sqlite_autoincrement=True,  # the id of a deleted set never comes back
)

# No foreign key: checking a million rows one by one would double the time of a publication, and only
# publications write here.
scores = sa.Table(
    "scores",
    metadata,
    sa.Column("set_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", _id(), primary_key=True),
    *(_stored(c) for c in SCHEMA.values() if not c.per_list and c.name != "customer_id"),
    sqlite_with_rowid=False,
)

# Of a missed target the customer is empty, and ``about`` says which; else it is the other way round.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("customer_id", _id(), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False, unique=True),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("value_at_risk", sa.Double),
    sa.Column("offer", sa.Text, nullable=False),
    sa.Column("expected_profit", sa.Double),
    sa.Column("snoozed_until", sa.Date),
    sa.Column("snoozed_at_risk", sa.Double),
    sa.Column("last_purchase_date", sa.Date),
    sa.Column("checked_on", sa.Date, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("rate_limit", sa.Text),
    sa.Column("max_body_bytes", sa.BigInteger),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
)

sa.Index(
    "api_keys_active_name",
    api_keys.c.name,
    unique=True,
    sqlite_where=api_keys.c.revoked_at.is_(None),
    postgresql_where=api_keys.c.revoked_at.is_(None),
)

# Made from the newest set when it is published, in the order of its key, so that the database only appends, behind what
# it has of the set before. Rank 1 is the first of the order; of equal values the smaller id is first. The customers of
# a kind lie together: a page of some kinds is a few rows of each, at any depth.
rankings = sa.Table(
    "rankings",
    metadata,
    sa.Column("set_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ordered_by", sa.Text, primary_key=True),
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", _id(), nullable=False),
    sqlite_with_rowid=False,
)

tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("set_id", sa.Integer, nullable=False),
    sa.Column("value_tier", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
    sa.Column("churn_band", sa.Text, nullable=False),
    sa.Column("dormant", sa.Boolean, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("value_at_risk", sa.Double, nullable=False),
)

# What the operator knows of customers besides. ``values`` are those that the table is filtered by, each with the range
# of places that its customers of the newest set have in the order of the column.
own_columns = sa.Table(
    "own_columns",
    metadata,
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("numeric", sa.Boolean, nullable=False),
    sa.Column("values", Document, nullable=False),
    sa.Column("brought_at", Moment, nullable=False),
)

own_rows = sa.Table(
    "own_rows",
    metadata,
    sa.Column("customer_id", _id(), primary_key=True),
    sa.Column("cells", Document, nullable=False),
    sqlite_with_rowid=False,
)

# The newest set once more where there are own columns: narrow, to be read through for a filter by own columns in a
# fraction of a second. Numbers are places in an order, from 1.
own_places = sa.Table(
    "own_places",
    metadata,
    sa.Column("set_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", _id(), primary_key=True),
    sa.Column("kind", sa.Integer, nullable=False),
    *(sa.Column(f"score_{number}", sa.Integer, nullable=False) for number in range(4)),
    *(sa.Column(f"own_{number}", sa.Integer) for number in range(MOST_OWN_COLUMNS)),
    sqlite_with_rowid=False,
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sqlite_autoincrement=True,  # the id of a removed user never comes back
)

user_sessions = sa.Table(
    "user_sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("choice", sa.JSON, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

# What was chosen for a draft is in ``choices``; what was drawn in ``record``, as ``plan.json`` has it. A draft has no
# dates, a campaign from a file no set.
campaigns = sa.Table(
    "campaigns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("set_id", sa.Integer),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("choices", Document, nullable=False),
    sa.Column("starts_on", sa.Date),
    sa.Column("closes_on", sa.Date),
    sa.Column("held_until", sa.Date),
    sa.Column("record", Document),
    sa.Column("summary", sa.Text),
    sa.Column("contact_columns", Document, nullable=False),
    sa.Column("money_unit", sa.Text),
    sa.Column("findings", Document),
    sa.Column("measured_page", sa.Text),
    sqlite_autoincrement=True,
)

# A draft's rows are customers to leave alone, and contacts; those of a plan are what its folder holds in three lists:
# numbers as they were at the draw. A customer who is removed after it keeps the row.
campaign_customers = sa.Table(
    "campaign_customers",
    metadata,
    sa.Column("campaign_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer_id", _id(), primary_key=True),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("best_offer", sa.Text),
    sa.Column("offer", sa.Text),
    sa.Column("channel", sa.Text),
    sa.Column("churn_probability", sa.Double),
    sa.Column("value_at_stake", sa.Double),
    sa.Column("expected_profit", sa.Double),
    sa.Column("break_even_probability", sa.Double),
    sa.Column("probability_of_profit", sa.Double),
    sa.Column("reasons", sa.Text),
    sa.Column("value_tier", sa.Text),
    sa.Column("expected_cost", sa.Double),
    sa.Column("greatest_cost", sa.Double),
    sa.Column("incentive_cost", sa.Double),
    sa.Column("expected_spend", sa.Double),
    sa.Column("expected_value", sa.Double),
    sa.Column("value_of_resumption", sa.Double),
    sa.Column("stratum", sa.Integer),
    sa.Column("silent_days", sa.Double),
    sa.Column("purpose", sa.Text),
    sa.Column("contact", Document),
    sa.Column("removed_at", Moment),
    sqlite_with_rowid=False,
)

# One row per campaign whose audience a webhook is to be told; it names no customer.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("campaign_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("joined", sa.Integer, nullable=False),
    sa.Column("left_it", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
)

# Neither what a customer is called nor what was chosen by: an entry names a record by its number.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)
