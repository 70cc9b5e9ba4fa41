"""Features of behaviour beyond orders, by the file that they come from.

As in `features.table`, a feature is an expression over *totals*, exact integers of one row per customer, which see the
rows before the snapshot alone. A count of a customer of whom the file has no row is 0, as of a customer who never
called; without the file, or where it does not reach back before the snapshot, a feature is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.language import translatable, translated
from features.table.baskets import GROUP_OF, PRICES, PRODUCTS
from features.table.catalogue import Feature, catalogue_markdown
from features.table.own import OWN_PREFIX
from features.table.seasons import NAMES as OF_SEASONS, SEASONS

TOUCHPOINTS, SURVEYS, RECEIVABLES, ATTRIBUTES = "touchpoints", "surveys", "receivables", "attributes"
FILES = (TOUCHPOINTS, SURVEYS, RECEIVABLES, ATTRIBUTES)
"""The files by the name of their flag."""

ATTRIBUTE_PREFIX = "attribute_"
"""Before the name of a column of attributes, which could be that of a feature."""

SETTLED_DAYS = 30
"""Days after a send until its outcome is taken as known: the file does not say when a customer responded."""

_YEAR_DAYS = 365


@dataclass(frozen=True)
class BehaviourSource:
    """What a file tells: a query of its rows before a snapshot, totals over them, and features over those.

    Attributes
    ----------
    file : str, of `FILES`
    day : str, the column of the rows by which they come before a snapshot
    visible : str, SQL of the rows at a snapshot, ``{snapshot}`` being its day number
    totals : dict of name to SQL aggregate over the visible rows
    features : tuple of Feature
    """

    file: str
    day: str
    visible: str
    totals: dict[str, str]
    features: tuple[Feature, ...]


def _feature(file: str, name: str, unit: str, meaning: str, expression: str) -> Feature:
    return Feature(name, "float64", unit, meaning, expression, needs=file)


_IS_SETTLED = (
    f"kind = 'send' AND day < {{snapshot}} - {SETTLED_DAYS} "
    f"AND day >= {{snapshot}} - {SETTLED_DAYS + _YEAR_DAYS} AND responded IS NOT NULL"
)
_IN_A_YEAR = f"day >= {{snapshot}} - {_YEAR_DAYS}"


def _quantity(condition: str) -> str:
    return f"CAST(sum(CASE WHEN {condition} THEN quantity ELSE 0 END) AS BIGINT)"


_TOUCHES = BehaviourSource(
    TOUCHPOINTS,
    "day",
    "SELECT * FROM touches WHERE day < {snapshot}",
    {
        "contacts": _quantity("kind = 'contact' AND day >= {snapshot} - 90"),
        "complaints": _quantity("kind = 'complaint' AND day >= {snapshot} - 90"),
        "last_contact": "max(CASE WHEN kind = 'contact' THEN day END)",
        "last_complaint": "max(CASE WHEN kind = 'complaint' THEN day END)",
        "sends": _quantity(_IS_SETTLED),
        "responses": _quantity(f"{_IS_SETTLED} AND responded"),
        "sentiments": f"count(CASE WHEN {_IN_A_YEAR} THEN sentiment END)",
        "sentiment": f"CAST(sum(CASE WHEN {_IN_A_YEAR} THEN sentiment END) AS BIGINT)",
    },
    (
        _feature(
            TOUCHPOINTS,
            "contacts_90d",
            "contacts",
            "Contacts in the last 90 days: touches that are neither complaints nor sent.",
            "coalesce(contacts, 0) / 1e3",
        ),
        _feature(
            TOUCHPOINTS,
            "complaints_90d",
            "complaints",
            "Complaints in the last 90 days.",
            "coalesce(complaints, 0) / 1e3",
        ),
        _feature(
            TOUCHPOINTS,
            "days_since_contact",
            "days",
            "Days since the last contact; NaN without one.",
            "{snapshot} - last_contact",
        ),
        _feature(
            TOUCHPOINTS,
            "days_since_complaint",
            "days",
            "Days since the last complaint; NaN without one.",
            "{snapshot} - last_complaint",
        ),
        _feature(
            TOUCHPOINTS,
            "response_rate_365d",
            "0 to 1",
            f"Share of what was sent that the customer responded to, of the year that ended {SETTLED_DAYS} days before "
            "the snapshot: until then a response may still come; NaN where nothing was sent.",
            "CASE WHEN sends > 0 THEN responses / (1e0 * sends) END",
        ),
        _feature(
            TOUCHPOINTS,
            "mean_sentiment_365d",
            "−1 to 1",
            "Mean sentiment of the touches of the last 365 days; NaN where none has one.",
            "CASE WHEN sentiments > 0 THEN sentiment / (1e3 * sentiments) END",
        ),
    ),
)

# Of several answers of one day the lowest is taken: their order is not known.
_ANSWERS = """SELECT customer_id, kind, score, row_number() OVER (
    PARTITION BY customer_id, kind ORDER BY answered DESC, score
  ) AS place
FROM surveys
WHERE answered < {snapshot}"""

_SURVEYS = BehaviourSource(
    SURVEYS,
    "answered",
    _ANSWERS,
    {kind: f"max(CASE WHEN kind = '{kind}' AND place = 1 THEN score END)" for kind in ("nps", "csat")},
    (
        _feature(SURVEYS, "last_nps", "0 to 10", "Last answer to an NPS survey; NaN without one.", "nps"),
        _feature(
            SURVEYS, "last_csat", "1 to 5", "Last answer to a satisfaction survey; NaN without one.", "csat"
        ),
    ),
)

_OVERDUE = """SELECT customer_id, due,
  amount_cents - CASE WHEN paid < {snapshot} THEN paid_cents ELSE 0 END AS open_cents
FROM receivables
WHERE issued < {snapshot} AND due < {snapshot} AND (written_off IS NULL OR written_off >= {snapshot})"""

_RECEIVABLES = BehaviourSource(
    RECEIVABLES,
    "issued",
    _OVERDUE,
    {
        "open_cents": "CAST(sum(open_cents) AS BIGINT)",
        "first_due": "min(CASE WHEN open_cents > 0 THEN due END)",
    },
    (
        _feature(
            RECEIVABLES,
            "overdue_debt",
            "money",
            "What is open of invoices that were due before the snapshot and are not written off.",
            "coalesce(open_cents, 0) / 1e2",
        ),
        _feature(
            RECEIVABLES,
            "days_overdue",
            "days",
            "Days since the oldest of them was due; 0 without one.",
            "coalesce({snapshot} - first_due, 0)",
        ),
    ),
)

SOURCES: tuple[BehaviourSource, ...] = (_TOUCHES, _SURVEYS, _RECEIVABLES)
FEATURES: tuple[Feature, ...] = tuple(feature for source in SOURCES for feature in source.features)

_FILE_OF = {feature.name: source.file for source in SOURCES for feature in source.features}


def file_of(name: str) -> str | None:
    """Return the file that a feature comes from, or its group of those of baskets and seasons; itself for an own one.

    None for what every model learns from.

    Examples
    --------
    >>> file_of("last_nps"), file_of("attribute_region"), file_of("own_weekend_share"), file_of("frequency")
    ('surveys', 'attributes', 'own_weekend_share', None)
    >>> file_of("margin_rate_365d"), file_of("anniversary_share_90d")
    ('prices', 'seasons')
    """
    if name.startswith(OWN_PREFIX):
        return name
    if name.startswith(ATTRIBUTE_PREFIX):
        return ATTRIBUTES
    if name in OF_SEASONS:
        return SEASONS
    return _FILE_OF.get(name) or GROUP_OF.get(name)


_GROUPS_IN_WORDS = {
    SEASONS: translatable("seasons"),
    PRODUCTS: translatable("products"),
    PRICES: translatable("prices"),
}


def file_in_words(name: str) -> str:
    """Name what `file_of` returns, for people: a group in the chosen language; a file by its flag, as it is.

    Examples
    --------
    >>> file_in_words("seasons"), file_in_words("surveys")
    ('seasons', 'surveys')
    """
    return translated(_GROUPS_IN_WORDS[name]) if name in _GROUPS_IN_WORDS else name


def behaviour_catalogue_markdown() -> str:
    """Return `FEATURES` as a Markdown table: name, type, unit, meaning."""
    return catalogue_markdown(FEATURES)
