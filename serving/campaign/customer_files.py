"""Files of customers that a person brings to a campaign: opt-outs, past contacts, redeemed incentives.

Their ids are read as a log's are, and matched with the customers they are about: each file gives a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import StayworthError
from features.language import translated
from features.log.clock import tomorrow
from features.log.date_formats import ISO
from features.log.dates import Times, local_times
from features.log.findings import WARNING
from features.log.hidden_rows import REMARKS
from features.log.identity import read_ids
from features.log.matching import match_ids, require_match
from features.log.notation import written_otherwise
from features.log.sources import read_table
from features.suggestion import nearest
from serving.campaign.meant_rows import OPT_OUTS, meant_rows
from training.campaign.assignment import read_running
from training.campaign.running import RunningCampaign

CUSTOMER_ID, CONTACTED_ON = "customer_id", "contacted_on"
_FIRST_CONTACT = 1900
_MOST_OPT_OUTS = 0.5  # of the customers
_LIST_DAYS = 31
"""Days after the start of a campaign by which the last contact may have been, for a list is not of today."""


@dataclass
class CustomerFiles:
    """Reads files of customers and matches their ids with those of a table.

    Parameters
    ----------
    known : ids of the customers there are
    where : str, the table that they are in, such as ``the scored list``, in the chosen language
    loosely, allow_unmatched, flag : as in `features.log.matching`

    Attributes
    ----------
    report : list of str, a sentence for each file, to print
    """

    known: Iterable[str]
    where: str
    loosely: bool = False
    allow_unmatched: bool | None = False
    flag: str = "--loose-ids"
    report: list[str] = field(default_factory=list)

    def ids(self, path: Path, what: str, *, all_that_are_meant: bool = False) -> list[str]:
        """Read the ids of a file, as the table writes them; ``what`` says what they are, with its ``{file}``.

        Of a list that says yes or no of each customer, those who are meant.

        Raises
        ------
        StayworthError
            If the file cannot be read, or its ids name nobody; with ``all_that_are_meant`` also if some
            would name somebody if they were written otherwise.
        """
        table, said = meant_rows(self._read(path), what, path.name)
        self.report += said
        found = list(
            self.matched(
                read_ids(_column(table, CUSTOMER_ID, path)).to_pylist(),
                translated(what, file=path.name),
                all_that_are_meant=all_that_are_meant,
            ).values()
        )
        if what == OPT_OUTS and len(found) > _MOST_OPT_OUTS * len(list(self.known)):
            self.report.append(self._of_most(path, len(found)))
        return found

    def _read(self, path: Path) -> pd.DataFrame:
        table = read_table(path)
        self.report += [translated(WARNING, sentence=each) for each in table.attrs.get(REMARKS, ())]
        return table

    def _of_most(self, path: Path, named: int) -> str:
        sentence = translated(
            "{file} names {n:,} of {all:customer|customers} of {where}: is it a list of all? A column such as "
            "opted_out, with yes or no, tells who is meant.",
            file=path.name,
            n=named,
            all=len(list(self.known)),
            where=self.where,
        )
        return translated(WARNING, sentence=sentence)

    def past_contacts(self, path: Path, date_format: str | None = None) -> pd.DataFrame:
        """Read past contacts: ``customer_id``, as the table writes it, and ``contacted_on`` as a date.

        Of a campaign's folder: those on its contact list, on its first day. Days of the Jalali calendar are read so,
        where all are of its years.

        Raises
        ------
        StayworthError
            If the file cannot be read, a date is not written as said, or its ids name nobody.
        """
        if path.is_dir():
            campaign = read_running(path)
            table = pd.DataFrame({CUSTOMER_ID: sorted(campaign.contacted)}, dtype="str")
            table[CONTACTED_ON], date_format = campaign.starts_on.isoformat(), None
        else:
            table = self._read(path)
        ids = _column(table, CUSTOMER_ID, path)
        written = _column(table, CONTACTED_ON, path)
        cells = pa.chunked_array([pa.array(written, from_pandas=True)])
        days = self._of_this_age(cells, local_times(cells, date_format=date_format), path.name, date_format)
        if np.isnat(days).any():
            odd = written[np.isnat(days)].iloc[0]
            raise StayworthError(
                translated(
                    "{value:,} of {n:,} dates in {contacted_on} of {name} cannot be read, such as {odd!r}. {remedy}",
                    value=int(np.isnat(days).sum()),
                    n=len(days),
                    contacted_on=CONTACTED_ON,
                    name=path.name,
                    odd=odd,
                    remedy=_read_by(cells, np.isnat(days), date_format),
                )
            )
        read = read_ids(ids).to_pylist()
        customers = pd.Series(read).map(
            self.matched(read, translated("past contacts of {file}", file=path.name))
        )
        contacts = pd.DataFrame(
            {CUSTOMER_ID: customers, CONTACTED_ON: pd.Series(days).dt.strftime("%Y-%m-%d")}
        )
        return contacts[contacts[CUSTOMER_ID].notna()]

    def _of_this_age(self, cells: pa.ChunkedArray, days: Times, name: str, date_format: str | None) -> Times:
        """Return days, those of the Jalali calendar as Gregorian ones; refuse others before there were campaigns."""
        years = pd.Series(days).dt.year
        if len(days) and not (years >= _FIRST_CONTACT).any():
            found = local_times(cells, date_format=date_format, calendar="jalali")
            if (pd.Series(found).dt.year >= _FIRST_CONTACT).all():
                self.report.append(
                    translated(
                        "The dates in {column} of {name} are of the Jalali calendar, and read so: {first:date} is the "
                        "first.",
                        column=CONTACTED_ON,
                        name=name,
                        first=pd.Series(found).min().date(),
                    )
                )
                return found
        early = years < _FIRST_CONTACT
        if early.any():
            raise StayworthError(
                translated(
                    "{n:,} of {all:,} dates in {column} of {name} lie before {first:digits}, such as {odd:digits}. "
                    "Write all of them in one calendar, as 2011-01-31 or 1389-11-11.",
                    n=int(early.sum()),
                    all=len(days),
                    column=CONTACTED_ON,
                    name=name,
                    first=_FIRST_CONTACT,
                    odd=int(years[early].iloc[0]),
                )
            )
        return days

    def running(self, campaign: RunningCampaign) -> RunningCampaign:
        """Return a running campaign with its customers' ids as the table writes them; others are left out.

        Raises
        ------
        StayworthError
            If some would name somebody in the table if they were written otherwise.
        """
        groups = []
        for group in (campaign.contacted, campaign.held_out):
            match = match_ids(sorted(group), self.known, loosely=self.loosely)
            if match.missed:
                self.report += require_match(
                    match,
                    translated("customers of {file}", file=campaign.name),
                    self.where,
                    flag=self.flag,
                    allow_unmatched=self.allow_unmatched,
                    all_that_are_meant=True,
                )
            groups.append(frozenset(match.pairs.values()))
        return replace(campaign, contacted=groups[0], held_out=groups[1])

    def matched(
        self, ids: Iterable[str | None], what: str, *, all_that_are_meant: bool = False
    ) -> dict[str, str]:
        """Return the ids that name somebody, as they are given, and as the table writes them.

        Raises
        ------
        StayworthError
            As `ids`.
        """
        match = match_ids(ids, self.known, loosely=self.loosely)
        self.report += require_match(
            match,
            what,
            self.where,
            flag=self.flag,
            allow_unmatched=self.allow_unmatched,
            all_that_are_meant=all_that_are_meant,
        )
        return dict(match.pairs)


def contacts_ahead(contacts: pd.DataFrame, starts_on: date, name: str) -> list[str]:
    """Warn of past contacts that lie ahead of a campaign: they are no past ones, and count as recent."""
    days = contacts[CONTACTED_ON]
    last = min(starts_on + timedelta(days=_LIST_DAYS), tomorrow().date)
    ahead = days[days > last.isoformat()]
    if ahead.empty:
        return []
    return [
        translated(
            WARNING,
            sentence=translated(
                "{n:,} of {all:,} contacts of {name} lie after the campaign's start, {start}, such as that of {odd}: "
                "they count as recent. Is the year right?",
                n=len(ahead),
                all=len(days),
                name=name,
                start=starts_on.isoformat(),
                odd=ahead.iloc[0],
            ),
        )
    ]


def _read_by(cells: pa.ChunkedArray, unread: np.ndarray, date_format: str | None) -> str:
    """Say what reads dates that could not be read, as far as it is known."""
    read_as = (date_format or ISO) if not unread.all() else None
    table = pa.table({CONTACTED_ON: cells})
    found = written_otherwise(table, np.flatnonzero(unread), "dates", CONTACTED_ON, read_as=read_as)
    known = [each.sentence() for each in found if not each.flag.startswith("--log-calendar")]
    return " ".join(known) or translated("Write them as 2011-01-31, or say how: --date-format '%d/%m/%Y'.")


def _column(table: pd.DataFrame, name: str, path: Path) -> pd.Series:
    if name in table.columns:
        return table[name]
    names = list(map(str, table.columns))
    near = nearest(name, names)
    remedy = translated("Rename {near!r}.", near=near) if near else translated("Rename the one you mean.")
    if len(names) == 1 and re.search("[0-9]", names[0]):
        remedy = translated("Its first line seems to be an id: write {name} above it.", name=name)
    raise StayworthError(
        translated(
            "{path} has no column {name!r}; it has {names}. {remedy}",
            path=path,
            name=name,
            names=", ".join(names),
            remedy=remedy,
        )
    )
