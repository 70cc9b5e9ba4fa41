"""What is chosen for a draft of a campaign: read from a form, kept in the store, and given to the plan as its terms."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from pydantic import ValidationError

from features.errors import StayworthError
from features.jalali import gregorian
from features.language import translated
from serving.workbench.query import TableQuery
from training.campaign.settings import MOST_DAYS, PlanTerms, require_whole_window
from training.offers.offers import Offer

MOST_MONEY, MOST_CUSTOMERS = 1e12, 10**9
LONGEST_WORDS = 60
"""Letters of an offer's name, and of its channel."""
USUAL_HOLDOUT, USUAL_EXPLORE = 0.1, 0.05
_SEEDS = 2**31
_GREGORIAN = 1700
"""Years before it are Jalali ones."""
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
_DIGITS = str.maketrans("٫٬٪−", ".,%-")


@dataclass(frozen=True)
class Choices:
    """The choices of a draft.

    Parameters
    ----------
    query : str, filters of the table of customers
    offers : tuple of Offer
    budget : float or None, money
    holdout : float in [0, 0.5]
    explore : float in [0, 0.5], share of the customers in doubt who are contacted to learn
    starts_on : date or None: that of the scores
    hold_days : int or None: the churn window
    standing : float in [0, 0.5], share of the standing holdout
    seed, standing_seed : int
    said : tuple of str, what was said of the files that were sent
    """

    query: str = ""
    offers: tuple[Offer, ...] = ()
    budget: float | None = None
    holdout: float = USUAL_HOLDOUT
    explore: float = USUAL_EXPLORE
    starts_on: date | None = None
    hold_days: int | None = None
    standing: float = 0.0
    standing_seed: int = 0
    seed: int = field(default_factory=lambda: secrets.randbelow(_SEEDS))
    said: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the choices in JSON's types."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "offers": [offer.model_dump(mode="json", exclude_none=True) for offer in self.offers],
            "starts_on": self.starts_on and self.starts_on.isoformat(),
            "said": list(self.said),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_dict` has made."""
        day = kept.get("starts_on")
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        return cls(
            **known
            | {
                "offers": tuple(Offer.model_validate(each) for each in kept.get("offers", ())),
                "starts_on": date.fromisoformat(day) if day else None,
                "said": tuple(kept.get("said", ())),
            }
        )

    @property
    def table(self) -> TableQuery:
        """The customers of the audience."""
        return TableQuery.kept({"query": self.query})

    def terms(self) -> PlanTerms:
        """Return the terms of the plan; the dormant are contacted where they were chosen."""
        return PlanTerms(
            budget=self.budget,
            holdout=self.holdout,
            explore=self.explore,
            starts_on=self.starts_on,
            hold_days=self.hold_days,
            standing_holdout=self.standing,
            standing_seed=self.standing_seed,
            seed=self.seed,
            dormant=not self.table.choice.recent,
        )


def number(text: str, what: str, lowest: float, highest: float, *, share: bool = False) -> float | None:
    """Read a number that somebody typed, in the digits of any language; None where nothing was.

    Parameters
    ----------
    text : str
    what : str, what it is, for the message
    lowest, highest : float, of the number as it is typed
    share : bool
        It is typed in per cent, and returned as a share.

    Raises
    ------
    StayworthError
        If it is no number, or out of bounds.

    Examples
    --------
    >>> number("۱٬۵۰۰٫۵", "The budget", 0, 1e12), number("10 %", "The holdout", 0, 50, share=True)
    (1500.5, 0.1)
    >>> number("-5", "The budget", 0, 1000)
    Traceback (most recent call last):
    features.errors.StayworthError: The budget is a number from 0 to 1,000; '-5' is not.
    """
    plain = text.translate(_DIGITS).replace(",", "").replace(" ", "").removesuffix("%")
    if not plain:
        return None
    try:
        read = float(plain)
    except ValueError:
        read = float("nan")
    if not lowest <= read <= highest:
        raise StayworthError(
            translated(
                "{what} is a number from {lowest:,g} to {highest:,.0f}; {text!r} is not.",
                what=what,
                lowest=lowest,
                highest=highest,
                text=text[:40],
            )
        )
    return read / 100 if share else read


def whole(text: str, what: str, lowest: int, highest: int) -> int | None:
    """Read a whole number that somebody typed; None where nothing was.

    Raises
    ------
    StayworthError
        If it is no whole number, or out of bounds.
    """
    read = number(text, what, lowest, highest)
    if read is not None and read != int(read):
        raise StayworthError(
            translated("{what} is a whole number; {text!r} is not.", what=what, text=text[:40])
        )
    return None if read is None else int(read)


def day(text: str) -> date | None:
    """Read the first day, of the Gregorian or the Jalali calendar; None where nothing was typed.

    Raises
    ------
    StayworthError
        If it is no day between 1970 and 2100.

    Examples
    --------
    >>> day("2026-03-21"), day("۱۴۰۵/۱/۱"), day(" ")
    (datetime.date(2026, 3, 21), datetime.date(2026, 3, 21), None)
    """
    plain = "".join(str(int(each)) if each.isdecimal() else each for each in text.strip())
    if not plain:
        return None
    read = None
    if found := _DAY.fullmatch(plain):
        year, month, of_month = map(int, found.groups())
        with suppress(ValueError):
            read = gregorian(year, month, of_month) if year < _GREGORIAN else date(year, month, of_month)
    if read is None or not date(1970, 1, 1) <= read <= date(2100, 1, 1):
        raise StayworthError(
            translated(
                "Write the first day as 2026-03-21, or of the Jalali calendar as 1405-01-01, between 1970 and 2100; "
                "{text!r} is not.",
                text=text[:40],
            )
        )
    return read


def limits_of(
    sent: Mapping[str, str], scored_on: date = date.min, horizon_days: int | None = None
) -> dict[str, Any]:
    """Read budget, holdout, what is made to learn, first day and days from the fields of a form.

    Parameters
    ----------
    sent : mapping of the name of a field to what was typed
    scored_on, horizon_days : date and int or None, of the list that is planned from

    Raises
    ------
    StayworthError
        If one of them is out of bounds, or does not go with the list.
    """
    holdout = number(sent["holdout"], translated("The holdout in per cent"), 0, 50, share=True)
    explore = number(sent["explore"], translated("The share made to learn in per cent"), 0, 50, share=True)
    standing = number(sent["standing"], translated("The standing holdout in per cent"), 0, 50, share=True)
    starts_on = day(sent["starts_on"])
    if starts_on is not None and starts_on < scored_on:
        raise StayworthError(
            translated(
                "The first day, {start:date}, is before that of the list, {day:date}: its risks are of the days "
                "after it. Give {day:date} or a later day.",
                start=starts_on,
                day=scored_on,
            )
        )
    hold_days = whole(sent["hold_days"], translated("The number of days"), 1, MOST_DAYS)
    if hold_days is not None:
        require_whole_window(hold_days, horizon_days)
    return {
        "budget": number(sent["budget"], translated("The budget"), 0, MOST_MONEY),
        "holdout": USUAL_HOLDOUT if holdout is None else holdout,
        "explore": USUAL_EXPLORE if explore is None else explore,
        "starts_on": starts_on,
        "hold_days": hold_days,
        "standing": standing or 0.0,
    }


def _words(text: str, what: str) -> str:
    """Return a text with single spaces.

    Raises
    ------
    StayworthError
        If it is too long for a table and a list.
    """
    words = " ".join(text.split())
    if len(words) > LONGEST_WORDS:
        raise StayworthError(
            translated(
                "{what} has at most {n:character|characters}; this one has {m:,}.",
                what=what,
                n=LONGEST_WORDS,
                m=len(words),
            )
        )
    return words


def offer_of(sent: Mapping[str, str]) -> Offer:
    """Read an offer from the fields of a form.

    Raises
    ------
    StayworthError
        If a field is missing or out of bounds.
    """
    name = _words(sent["offer_name"], translated("The name of an offer"))
    if not name:
        raise StayworthError(translated("Give the offer a name."))
    acceptance = number(sent["acceptance"], translated("The acceptance in per cent"), 0, 100, share=True)
    if acceptance is None:
        raise StayworthError(translated("Say how many of 100 would-be leavers accept the offer."))
    if not acceptance:
        raise StayworthError(
            translated(
                "An offer that nobody accepts keeps nobody. Say how many of 100 would-be leavers accept it: more "
                "than 0."
            )
        )
    redemption = number(sent["redemption"], translated("The redemption in per cent"), 0, 100, share=True)
    is_share = sent["incentive_kind"] == "share"
    incentive = number(
        sent["incentive"], translated("The incentive"), 0, 100 if is_share else MOST_MONEY, share=is_share
    )
    try:
        return Offer(
            name=name,
            channel=_words(sent["channel"], translated("The channel of an offer")),
            contact_cost=number(sent["contact_cost"], translated("The cost of a contact"), 0, MOST_MONEY)
            or 0.0,
            acceptance_rate=acceptance,
            redemption_rate=1.0 if redemption is None else redemption,
            capacity=whole(sent["capacity"], translated("The most customers"), 1, MOST_CUSTOMERS),
            incentive_share=(incentive or 0.0) if is_share else None,
            incentive_cost=None if is_share else incentive or 0.0,
        )
    except ValidationError as error:
        raise StayworthError(str(error.errors()[0]["msg"])) from None
