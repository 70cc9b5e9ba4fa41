"""A list as its readers want it: a name, a contact, the risk, the money, the reason, and what to do until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, Self

import pandas as pd

from features.economics.money import MoneyUnit
from features.economics.periods import written_date
from features.language import currency, current_language, translatable, translated, translated_in, written
from serving.lists.contact_columns import contact_columns

CUSTOMER_ID = "customer_id"
Kind = Literal["text", "long text", "percent", "money", "date"]

_CONTACTS = {
    "name": (translatable("Name"), translatable("As in the table of contacts.")),
    "first_name": (translatable("First name"), translatable("As in the table of contacts.")),
    "last_name": (translatable("Last name"), translatable("As in the table of contacts.")),
    "email": (translatable("E-mail"), translatable("As in the table of contacts.")),
    "phone": (translatable("Phone"), translatable("As in the table of contacts.")),
}
_ENDS = {
    "campaign": translatable(
        "The last day of the campaign: purchases until then are counted when it is measured."
    ),
    "window": translatable("The last day of the churn window: who has not bought by then has left."),
}


@dataclass(frozen=True)
class ListTerms:
    """What the numbers of a list depend on, and what it is of.

    Attributes
    ----------
    unit : MoneyUnit
    snapshot : date
    horizon_days : int
    version : str, of the model
    ends : {"campaign", "window"}
        What it is that ends ``horizon_days`` after ``starts``.
    starts : date
    money_of : str, the month whose money it is, where it is real
    dormant_after_days : int, the silence after which the last customers of the list are dormant; 0 where none is
    """

    unit: MoneyUnit
    snapshot: date
    horizon_days: int
    version: str
    ends: Literal["campaign", "window"]
    starts: date
    money_of: str = ""
    dormant_after_days: int = 0

    @property
    def last_day(self) -> date:
        """The last day on which a purchase counts."""
        return self.starts + timedelta(days=self.horizon_days - 1)

    @property
    def money_name(self) -> str:
        """The name of the money, in the chosen language; empty if nobody has said it."""
        return currency(self.unit.name)

    def order_in_words(self) -> str:
        """Say who comes last in the list; empty where nobody is dormant."""
        if not self.dormant_after_days:
            return ""
        return translated(
            "Those silent for more than {days:day|days} are dormant: they come after all others, and a campaign plan "
            "leaves them out.",
            days=self.dormant_after_days,
        )

    def in_words(self) -> str:
        """Say what the list is made from."""
        said = translated(
            "Scores of {day:date}, model version {version:digits}. The risk is the probability of no purchase in the "
            "{days:day|days} from then on.",
            day=self.snapshot,
            version=self.version,
            days=self.horizon_days,
        )
        if not self.money_of:
            return said
        return f"{said} {translated('Money is that of {month:label}, by the deflator.', month=self.money_of)}"


@dataclass(frozen=True)
class TeamColumn:
    """A column of a list for readers.

    Attributes
    ----------
    title, meaning : str, in the chosen language
    kind : Kind
    cells : list; a share for "percent", money in the unit of the list, None where nothing is known
    """

    title: str
    meaning: str
    kind: Kind
    cells: list[Any]


@dataclass(frozen=True)
class TeamList:
    """The columns that a manager reads first, and what they mean.

    The column of ids is named ``customer_id`` in every language, so that `stayworth forget` finds it; it comes last
    where a name or an address says who it is.
    """

    columns: tuple[TeamColumn, ...]
    terms: ListTerms
    rows: int

    @classmethod
    def of(cls, rows: pd.DataFrame, terms: ListTerms) -> Self:
        """Choose the columns of a list: of scored customers, or of a campaign's contacts with their offers."""
        contact = _contact(rows)
        who = TeamColumn(
            CUSTOMER_ID, translated("The customer's id in the log."), "text", list(rows[CUSTOMER_ID])
        )
        columns = [
            *(contact or [who]),
            *_tier(rows),
            _risk(rows),
            _at_risk(rows, terms),
            _reason(rows),
            *_offer(rows),
            *_until(rows, terms),
            *([who] if contact else []),
        ]
        return cls(tuple(columns), terms, len(rows))

    def table(self) -> pd.DataFrame:
        """Return the list for a CSV: risks in per cent, money to the cent."""
        return pd.DataFrame({column.title: _plain(column) for column in self.columns})


def _plain(column: TeamColumn) -> list[Any]:
    if column.kind == "percent":
        return [None if cell is None else round(100 * cell, 1) for cell in column.cells]
    return [round(cell, 2) if isinstance(cell, float) else cell for cell in column.cells]


def _contact(rows: pd.DataFrame) -> list[TeamColumn]:
    return [
        TeamColumn(translated(_CONTACTS[role][0]), translated(_CONTACTS[role][1]), "text", _texts(rows[name]))
        for role, name in contact_columns(map(str, rows.columns)).items()
    ]


def _tier(rows: pd.DataFrame) -> list[TeamColumn]:
    tiers = [translated_in("value", tier) if tier else None for tier in _texts(rows["value_tier"])]
    meaning = translated("How much the customer is expected to bring, compared with the others.")
    return [TeamColumn(translated("Tier"), meaning, "text", tiers)]


def _risk(rows: pd.DataFrame) -> TeamColumn:
    meaning = translated("Probability that the customer does not buy again in time, in per cent.")
    return TeamColumn(translated("Risk, %"), meaning, "percent", _numbers(rows["churn_probability"]))


def _at_risk(rows: pd.DataFrame, terms: ListTerms) -> TeamColumn:
    cents = 100 * pd.to_numeric(rows["churn_probability"]) * pd.to_numeric(rows["value_at_stake"])
    named = (
        translated("Value at risk ({money})", money=terms.money_name)
        if terms.money_name
        else translated("Value at risk")
    )
    meaning = translated(
        "What the shop can expect to lose: the risk times what the customer is worth more if they stay."
    )
    return TeamColumn(named, meaning, "money", _numbers(pd.Series(terms.unit.shown(cents.to_numpy()))))


def _reason(rows: pd.DataFrame) -> TeamColumn:
    lines = [
        "\n".join(cell) if isinstance(cell, list | tuple) else str(cell).replace("; ", "\n")
        for cell in rows["reasons"]
    ]
    meaning = translated("What moves the risk most, with the customer's own numbers.")
    return TeamColumn(translated("Reason"), meaning, "long text", [each or None for each in lines])


def _offer(rows: pd.DataFrame) -> list[TeamColumn]:
    if "offer" not in rows:
        return []
    meaning = translated("What to offer, and through which channel.")
    offers = [
        f"{offer} ({channel})" if channel else offer
        for offer, channel in zip(_texts(rows["offer"]), _texts(rows["channel"]), strict=True)
    ]
    return [TeamColumn(translated("Offer"), meaning, "text", offers)]


def _until(rows: pd.DataFrame, terms: ListTerms) -> list[TeamColumn]:
    """Return the last day; in Persian by both calendars."""
    meaning = translated(_ENDS[terms.ends])
    columns = [TeamColumn(translated("Until"), meaning, "date", [terms.last_day] * len(rows))]
    if current_language() == "fa":
        day = written(written_date(terms.last_day, "jalali"), "label")
        said = translated("The same day in the Jalali calendar.")
        columns.insert(0, TeamColumn(translated("Until (Jalali)"), said, "text", [day] * len(rows)))
    return columns


def _texts(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(cell) or str(cell) == "" else str(cell) for cell in column]


def _numbers(column: pd.Series) -> list[float | None]:
    read = pd.to_numeric(column, errors="coerce")
    return [None if pd.isna(cell) else float(cell) for cell in read]
