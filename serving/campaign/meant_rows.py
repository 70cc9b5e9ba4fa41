"""Rows of a file of customers that are meant: those of a list that says of each by yes or no.

Many tools export all customers with a column such as ``accepts_marketing``; taken whole, such a list would mean
everybody. A column whose name is clear is followed; where its cells are not, the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from features.errors import StayworthError
from features.language import translatable, translated
from features.log.answers import NO, YES
from features.log.findings import WARNING
from serving.lists.contact_columns import plain_header
from serving.lists.contacts import Contacts

OPT_OUTS = translatable("opt-outs of {file}")
REDEEMED = translatable("redeemed ones of {file}")

_LEFT = (
    "unsubscribed",
    "opted out",
    "opt out",
    "never subscribed",
    "not subscribed",
    "non subscribed",
    "cleaned",
)
_STAYED = (
    "subscribed",
    "resubscribed",
    "opted in",
    "opt in",
    "active",
    "aktiv",
    "actif",
    "activo",
    "attivo",
    "فعال",
)
# Without accents, as `plain_header` writes headers: English, German, French, Spanish, Italian, Dutch, Turkish, Persian
# and Arabic.
_NAMES = {
    OPT_OUTS: {
        True: re.compile(
            r"opt(ed)? ?out|unsubscribed?|suppressed|do not (contact|e ?mail|call|market)|dnc|no (contact|marketing)|"
            r"abgemeldet|abbestellt|abmelde|abmeldung|widerspruch|widersprochen|sperr|nicht kontaktieren|"
            r"keine werbung|desabonn|desinscri|ne pas contacter|opposition|no contactar|\bbaja|disiscritt|"
            r"non contattare|uitgeschreven|abonelikten|rahatsiz etme|انصراف|لغو|عدم تماس|تماس نگیرید|ارسال نشود|"
            r"نفرستید|الغاء|عدم الاتصال"
        ),
        False: re.compile(
            r"accepts?( \w+)? marketing|accepts (e ?mail|sms)|subscribed|opt(ed)? ?in|consent|werbung|newsletter|"
            r"einwilligung|zustimmung|\babonn|\bacepta|suscri|iscritto|consenso|toestemming|\bizin|\bonay|رضایت|"
            r"خبرنامه|تبلیغ|موافق"
        ),
    },
    REDEEMED: {True: re.compile(r"redeem(ed|s)?|eingelost|utilise|canjead|kullanildi|استفاده شد")},
}
"""By what a file lists: the names of columns whose yes, or no, means the customer."""


def meant_rows(table: pd.DataFrame, what: str, file: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows that are meant, and sentences to print about those that are not.

    Parameters
    ----------
    table : DataFrame, as the file holds it
    what : `OPT_OUTS` or `REDEEMED`; of other files all rows are meant
    file : str, its name

    Raises
    ------
    StayworthError
        If a column says yes or no of some customers, and something else of others.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["1", "2"], "accepts_marketing": ["TRUE", "FALSE"]})
    >>> meant_rows(rows, OPT_OUTS, "stop.csv")[0]["customer_id"].tolist()
    ['2']
    """
    flags = list(_flags(table, what, file))
    if not flags:
        return table, []
    meant = pd.concat(flags, axis=1).any(axis=1)
    if meant.all():
        return table, []
    return table[meant], [
        translated(
            "{file}: {n:,} of {all:,} rows are taken, as {columns} says.",
            file=file,
            n=int(meant.sum()),
            all=len(table),
            columns=[str(flag.name) for flag in flags],
        )
    ]


def opted_out_sentences(contacts: Contacts, contacted: pd.DataFrame, remedy: str) -> list[str]:
    """Warn where customers who are to be contacted have opted out, as the file of their contacts says.

    The remedy is a sentence that says what leaves them alone. Only a plain yes or no counts: of whom the file says
    nothing, nothing is known.
    """
    rows = contacts.table.loc[list(contacts.matched(contacted).pairs.values())]
    said = {name: meant.fillna(False).astype(bool) for name, _, meant in _answers(rows, OPT_OUTS)}
    out = pd.DataFrame(said, index=rows.index)
    columns = [name for name in out if out[name].any()]
    if not columns:
        return []
    return [
        translated(
            WARNING,
            sentence=translated(
                "{n:customer has|customers have} opted out, as {columns} of {file} says, and {all:,} are to be "
                "contacted, they among them. {remedy}",
                n=int(out.any(axis="columns").sum()),
                all=len(contacted),
                columns=columns,
                file=contacts.name,
                remedy=remedy,
            ),
        )
    ]


def _answers(table: pd.DataFrame, what: str) -> Iterator[tuple[str, pd.Series, pd.Series]]:
    """Yield the columns that say yes or no: name, cells in small letters, and whether a row is meant."""
    for name in table.columns:
        plain = plain_header(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(name)))
        of_name = (yes for yes, pattern in _NAMES.get(what, {}).items() if pattern.search(plain))
        yes_means = next(of_name, None)
        cells = table[name].astype("string").fillna("").str.strip().str.lower()
        words = cells.str.replace(r"[\s_-]+", " ", regex=True)
        left, stayed = words.isin(_LEFT), words.isin(_STAYED)
        # A column of any name, such as Status, tells it if nothing else stands in it.
        if yes_means is None and not (what == OPT_OUTS and left.any() and (left | stayed).all()):
            continue
        meant = pd.Series(pd.NA, index=cells.index, dtype="boolean")
        meant[words.isin(YES)], meant[words.isin(NO)] = bool(yes_means), not yes_means
        meant[left], meant[stayed] = what == OPT_OUTS, what != OPT_OUTS
        blank = words == ""
        if yes_means and blank.any() and not blank.all():
            # Who has no mark, word or date in a column of those who are meant is none of them.
            meant = meant.mask(blank, False) if meant.notna().any() else (~blank).astype("boolean")
        yield str(name), cells, meant


def _flags(table: pd.DataFrame, what: str, file: str) -> Iterator[pd.Series]:
    """Yield for each column that says yes or no whether a row is meant."""
    for name, cells, meant in _answers(table, what):
        known = meant.notna()
        if not known.any():
            continue  # such as the day on which a customer has opted out
        if not known.all():
            raise StayworthError(
                translated(
                    "{file}: column {column!r} says yes or no of {n:,} of {all:,} customers, and {cell!r} of others. "
                    "Leave only the rows of those whom you mean, or write TRUE or FALSE in each.",
                    file=file,
                    column=name,
                    n=int(known.sum()),
                    all=len(table),
                    cell=str(cells[~known].iloc[0]),
                )
            )
        yield meant.astype(bool).rename(name)
