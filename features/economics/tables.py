"""A report as data: sections of tables, each column defined in the catalogue.

Whatever a reader gets, CSV files, a workbook or a page in some language, is made from this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from features.economics.catalogue import INDICATORS
from features.economics.indicator import Indicator
from features.language import translated, translated_in


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes
    ----------
    name : str, also of its file
    title : str
    rows : DataFrame, its columns named as in the catalogue
    provisional : mapping of a column to the column of yes or no that marks its provisional cells; the column
        ``provisional`` marks whole rows
    personal : bool
        Whether each row is a customer: only files have them all, a page shows the first few, `to_dict` none.

    Raises
    ------
    KeyError
        If a column is not in the catalogue.
    """

    name: str
    title: str
    rows: pd.DataFrame
    provisional: Mapping[str, str] = field(default_factory=dict)
    personal: bool = False

    def __post_init__(self) -> None:
        for name in self.rows:
            INDICATORS[str(name)]

    @property
    def columns(self) -> list[Indicator]:
        """The definitions of the columns."""
        return [INDICATORS[str(name)] for name in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return the rows, ready for JSON: missing cells are null."""
        cells = self.rows.astype(object).where(self.rows.notna(), None)
        return {"title": self.title, "rows": cells.to_dict("records")}


@dataclass(frozen=True)
class Missing:
    """What would fill something empty: a file or a column.

    Attributes
    ----------
    source : str, the file with its columns and its flag
    fills : str, what it adds
    """

    source: str
    fills: str

    def __str__(self) -> str:
        return sources_in_words({self.source: [self.fills]})[0]


def sources_in_words(fills: Mapping[str, Sequence[str]]) -> list[str]:
    """Say of each source that is missing what it would add.

    Examples
    --------
    >>> sources_in_words({"leads.csv (lead_id; --leads)": ["leads", "prospects"]})
    ['leads.csv (lead_id; --leads): leads; prospects.']
    """
    between = translated_in("list", "; ")
    return [
        translated("{source}: {fills}.", source=source, fills=between.join(parts))
        for source, parts in fills.items()
    ]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes
    ----------
    name, title : str
    tables : tuple of Table
    notes : tuple of str, sentences for the reader: what was counted apart, what deserves attention
    missing : tuple of Missing, what would fill what is empty
    findings : tuple of str, what is probably wrong with the files that it is made from, and what to do
    """

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What every number of a report depends on.

    Attributes
    ----------
    inactivity_days : int
    scored_inactivity_days : int or None, that of the scored list, where there is one that says it
    period, calendar : str
    first_day, last_day : str, of the log
    money_unit : str, empty if it is not named
    real_money_of : str, the month whose money all is shown in; empty for money as booked
    segment : str, what customers are told apart by; empty for nothing
    margin : str, where margins come from; empty if they are not known
    """

    inactivity_days: int
    period: str
    calendar: str
    first_day: str
    last_day: str
    money_unit: str = ""
    real_money_of: str = ""
    segment: str = ""
    margin: str = ""
    scored_inactivity_days: int | None = None

    def activity(self) -> str:
        """Say who counts as active, and where that comes from."""
        if self.inactivity_days == self.scored_inactivity_days:
            return translated(
                "A customer is active for {days:day|days} after a purchase, as in the scored list.",
                days=self.inactivity_days,
            )
        return translated(
            "A customer is active for {days:day|days} after a purchase (--inactivity-days).",
            days=self.inactivity_days,
        )


@dataclass(frozen=True)
class EconomicsReport:
    """All sections of a report, and the terms of its numbers.

    Attributes
    ----------
    terms : Terms
    sections : tuple of Section
    about_files : tuple of str, findings that are of no section
    star_schema : mapping of names to tables of facts and dimensions, where they were asked for
    """

    terms: Terms
    sections: tuple[Section, ...]
    about_files: tuple[str, ...] = ()
    star_schema: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def findings(self) -> list[str]:
        """What is probably wrong with the files, each once."""
        of_sections = (sentence for section in self.sections for sentence in section.findings)
        return list(dict.fromkeys((*self.about_files, *of_sections)))

    @property
    def missing(self) -> list[str]:
        """What is not in the report: a sentence for each source that would add to it."""
        fills: dict[str, list[str]] = {}
        for each in (each for section in self.sections for each in section.missing):
            known = fills.setdefault(each.source, [])
            known += [each.fills] if each.fills not in known else []
        return sources_in_words(fills)

    @property
    def tables(self) -> Iterable[Table]:
        """The tables of all sections in order."""
        return (table for section in self.sections for table in section.tables)

    def to_dict(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        return {
            "terms": asdict(self.terms),
            "findings": self.findings,
            "sections": {
                section.name: {
                    "title": section.title,
                    "notes": list(section.notes),
                    "findings": list(section.findings),
                    "missing": list(map(str, section.missing)),
                    "tables": {table.name: table.to_dict() for table in section.tables if not table.personal},
                }
                for section in self.sections
            },
        }

    def definitions(self) -> pd.DataFrame:
        """Return what each column of each table means, in the chosen language; the names stay."""
        rows = [
            {
                "table": table.name,
                "column": each.name,
                "title": each.title,
                "unit": translated_in("unit", each.unit),
                "meaning": translated(each.meaning),
                "formula": translated(each.formula) if each.formula else "",
            }
            for table in self.tables
            for each in table.columns
        ]
        return pd.DataFrame(rows)

    def table(self, name: str) -> Table:
        """Return a table by name.

        Raises
        ------
        KeyError
            If the report has no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
