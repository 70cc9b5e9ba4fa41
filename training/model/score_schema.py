"""The columns of a score: name, type, unit, whether it may be null, and meaning.

This is their only definition. Made from it are the columns of a scored list, the tables of the score store, the
answers of the service and its OpenAPI document, the types of the client, and the table in the documentation.
To add a column, add a field to `Score`, compute it in `training.model.retention_model`, and generate the store's
migration: ``python -m serving.store.migrations "add the column"``.

The module imports the standard library and names alone, so that a client need not install what scores.
"""

from dataclasses import dataclass, replace
from datetime import date
from types import NoneType
from typing import Annotated, Any, Generic, TypedDict, TypeVar, get_args, get_type_hints

from features.customer_groups import STAGES, TIERS

Day = TypeVar("Day", date, str)
"""How a date is held: as `datetime.date` in Python, as ISO text in JSON."""


@dataclass(frozen=True)
class Column:
    """One column of a score.

    Parameters
    ----------
    meaning : str
        One sentence for the reader of the documentation.
    unit : str
    lowest, highest : float, optional
        Limits of a number.
    one_of : tuple of str, optional
        The only texts there are.
    per_list : bool
        The same for all customers of a list.
    added_later : bool
        Not in the first release of the score store. A set that was published before has null there, so the type
        allows it; a new list must have a value.
    name : str
    type : {str, float, int, date, list}
        ``list`` is of texts.
    nullable : bool
        `name`, `type` and `nullable` are read from the field of `Score`.
    """

    meaning: str
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    one_of: tuple[str, ...] | None = None
    per_list: bool = False
    added_later: bool = False
    name: str = ""
    type: type = str
    nullable: bool = False

    @property
    def required(self) -> bool:
        """Whether every customer of a new list has a value."""
        return not self.nullable or self.added_later

    @property
    def description(self) -> str:
        """The meaning, and what null stands for where the column was added later."""
        before = " Null in scores that were published before the column existed." if self.added_later else ""
        return self.meaning + before


class Score(TypedDict, Generic[Day]):
    """One customer's score: the columns of a scored list, in their order, and the fields of an answer."""

    customer_id: Annotated[str, Column("The log's id of the customer, kept to the letter.")]
    snapshot_date: Annotated[
        Day, Column("The score uses the orders before this date.", "date", per_list=True)
    ]
    churn_probability: Annotated[
        float,
        Column(
            "Probability of no purchase in the churn window, `[snapshot_date, snapshot_date + horizon_days)`.",
            "probability",
            lowest=0,
            highest=1,
        ),
    ]
    p_alive: Annotated[
        float,
        Column(
            "BG/NBD's P(alive): not gone for good. It is 1 for every one-time buyer, so never a churn score.",
            "probability",
            lowest=0,
            highest=1,
        ),
    ]
    expected_purchases: Annotated[float, Column("Purchase days expected in the churn window.", "purchases")]
    expected_spend: Annotated[float, Column("Spend expected in the churn window, net of refunds.", "money")]
    expected_value: Annotated[
        float,
        Column(
            "Discounted margin expected over the value horizon, net of what the customer costs where the version "
            "knows it: `p · value_if_silent + (1 − p) · value if they buy`. Churn is in it already. Below 0: they "
            "cost more than they bring.",
            "money",
        ),
    ]
    expected_value_low: Annotated[
        float | None,
        Column(
            "Lower end of the 80% interval of `expected_value` (of the expectation, not of one customer's spend); "
            "null where the version has none.",
            "money",
        ),
    ]
    expected_value_high: Annotated[float | None, Column("Upper end of that interval.", "money")]
    value_if_silent: Annotated[
        float,
        Column(
            "Value of a customer who stays silent through the churn window: some come back later.", "money"
        ),
    ]
    value_at_stake: Annotated[
        float,
        Column(
            "What an accepted offer saves: the value of a would-be leaver who is won back, less "
            "`value_if_silent`.",
            "money",
        ),
    ]
    value_at_risk: Annotated[
        float,
        Column(
            "`churn_probability · value_at_stake`; a list is sorted by it, highest first, the dormant after all "
            "others.",
            "money",
        ),
    ]
    value_tier: Annotated[
        str,
        Column(
            "Tier by the limits of the version, which cut its training population: vip, medium and low by "
            "`expected_value` (20, 50 and 30% unless settings say otherwise), or as a bank does by "
            "`expected_gross_value` (`train --tiers bank`), where a destroyer is whoever has an `expected_value` below "
            "0. Equal values are never split.",
            one_of=TIERS,
        ),
    ]
    next_purchase_date: Annotated[
        Day | None,
        Column(
            "Median date of the next purchase: in the churn window where `churn_probability` is at most 50%; null "
            "where never is likelier.",
            "date",
        ),
    ]
    next_purchase_low: Annotated[
        Day | None,
        Column(
            "A purchase has come by then with a probability of 10%: in the churn window where `churn_probability` is "
            "at most 90%; null where never.",
            "date",
        ),
    ]
    next_purchase_high: Annotated[
        Day | None,
        Column(
            "A purchase has come by then with 90%: in the churn window where `churn_probability` is at most 10%; null "
            "where never.",
            "date",
        ),
    ]
    reasons: Annotated[
        list[str],
        Column(
            "What moves this customer's churn probability most, with their own numbers; at risk, what raises it first. "
            "Last, where `expected_value` is below 0, what they cost and bring."
        ),
    ]
    model_version: Annotated[str, Column("The registered version that scored.", per_list=True)]
    spend_per_purchase: Annotated[
        float | None,
        Column(
            "Spend expected per purchase, net of refunds and before the margin, as all values use it.",
            "money",
            added_later=True,
        ),
    ]
    last_purchase_date: Annotated[
        Day | None,
        Column("Date of the last purchase before the snapshot.", "date", added_later=True),
    ]
    horizon_days: Annotated[
        int | None, Column("Length of the churn window.", "days", lowest=1, per_list=True, added_later=True)
    ]
    margin: Annotated[
        float | None,
        Column("Margin per unit of spend that the values use.", "ratio", per_list=True, added_later=True),
    ]
    value_of_resumption: Annotated[
        float | None,
        Column(
            "Part of `value_at_stake` that hangs on the resumption: at another resumption ρ, `value_at_stake + "
            "(ρ − resumption) · value_of_resumption`.",
            "money",
            added_later=True,
        ),
    ]
    resumption: Annotated[
        float | None,
        Column(
            "Share of their old rate's value with which customers who had left are taken to go on once an offer "
            "has brought them back. No log of orders shows it; a measured campaign does.",
            "ratio",
            lowest=0,
            highest=1,
            per_list=True,
            added_later=True,
        ),
    ]
    dormant_after_days: Annotated[
        int | None,
        Column(
            "Customers silent for longer, at the snapshot, are dormant: a campaign plan leaves them out.",
            "days",
            lowest=1,
            per_list=True,
            added_later=True,
        ),
    ]
    expected_gross_value: Annotated[
        float | None,
        Column(
            "`expected_value` before what the customer costs: orders, active days and bad debt. The same where the "
            "version knows no costs.",
            "money",
            added_later=True,
        ),
    ]
    cost_per_order: Annotated[
        float | None,
        Column(
            "Cost of each purchase, of which the values are net; the mean, where customers have their own.",
            "money",
            per_list=True,
            added_later=True,
        ),
    ]
    cost_per_day: Annotated[
        float | None,
        Column(
            "Cost of each day on which the customer is active, of which the values are net; the mean, where "
            "customers have their own.",
            "money",
            per_list=True,
            added_later=True,
        ),
    ]
    bad_debt_rate: Annotated[
        float | None,
        Column(
            "Share of spend that is never paid, of which the values are net; the mean, where customers have their own.",
            "ratio",
            lowest=0,
            highest=1,
            per_list=True,
            added_later=True,
        ),
    ]
    inactivity_days: Annotated[
        int | None,
        Column(
            "A customer is active, and costs `cost_per_day`, until so many days after a purchase.",
            "days",
            lowest=1,
            per_list=True,
            added_later=True,
        ),
    ]
    stage: Annotated[
        str | None,
        Column(
            "Stage of the customer by orders alone, the first that fits: lapsed (no purchase in `inactivity_days`), "
            "lapsing (silent for longer than their own gaps explain, before three purchase days than 80% of the "
            "training log's gaps), loyal (four purchase days in 365), repeat, first-time. A report knows advocate and "
            "majority too, which take files.",
            one_of=STAGES,
            added_later=True,
        ),
    ]
    usual_gap_days: Annotated[
        float | None,
        Column(
            "Mean number of days between the customer's purchase days before the snapshot; null with one such day, and "
            "in scores that were published before the column existed.",
            "days",
            lowest=1,
        ),
    ]


def _columns() -> dict[str, Column]:
    columns = {}
    for name, annotated in get_type_hints(Score, include_extras=True).items():
        hint, stated = get_args(annotated)
        kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
        kind: Any = list if hint == list[str] else date if kinds[0] is Day else kinds[0]
        columns[name] = replace(stated, name=name, type=kind, nullable=NoneType in get_args(hint))
    return columns


SCHEMA: dict[str, Column] = _columns()
"""The columns by name, in their order."""

SCORE_COLUMNS = tuple(SCHEMA)
"""Names of the columns of a list and the fields of an answer, in this order."""

MODEL_COLUMNS = tuple(name for name in SCORE_COLUMNS if name != "model_version")
"""Those that a model computes; a model does not know the version under which it is registered."""


_TYPES = {str: "text", float: "number", int: "integer", date: "date", list: "list of text"}


def schema_markdown() -> str:
    """Return the columns as a Markdown table, for the documentation.

    Examples
    --------
    >>> schema_markdown().splitlines()[2]
    "| `customer_id` | text |  | The log's id of the customer, kept to the letter. |"
    """
    rows = []
    for column in SCHEMA.values():
        choices = f"{', '.join(f'`{text}`' for text in column.one_of)}: " if column.one_of else ""
        null = " or null" if column.nullable else ""
        meaning = f"{choices}{column.description}".replace("|", "\\|")
        rows.append(f"| `{column.name}` | {_TYPES[column.type]}{null} | {column.unit} | {meaning} |")
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *rows])
