"""Economics reports among the pages: one for each choice of period, calendar and segment, made when asked for.

A report of a large log takes minutes: it is made beside the requests, one at a time, and kept for an hour.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from features.economics.segments import ACQUISITION_PERIOD, FROM_LOG
from features.economics.settings import ReportSettings
from features.language import current_language, saying_instead, use_language
from features.log.settings import Columns, LogSettings
from serving.campaign.economics import made_report
from serving.report.page import Tile, report_page, tiles_of
from serving.workbench.wording import IN_BROWSER, about_the_log, findings_of_the_log

PERIODS = ("week", "month", "quarter", "year")
CALENDARS = ("gregorian", "jalali")
_FRESH_SECONDS = 3_600.0
_REMEMBERED = 8
_PATIENCE_SECONDS = 1.5


@dataclass(frozen=True)
class ReportChoice:
    """What a report is of: the length of its periods, their calendar, and what customers are told apart by."""

    period: str
    calendar: str
    segment: str


@dataclass(frozen=True)
class Made:
    """A report: its page, the main numbers of its last closed period, and what is to be checked in its files.

    A customer is active for ``inactivity_days`` after a purchase.
    """

    page: str
    tiles: Sequence[Tile]
    findings: Sequence[str]
    inactivity_days: int


class Reports:
    """Makes reports of a log, and keeps the pages.

    Parameters
    ----------
    settings : ReportSettings
        Files beside the log, margin and so on.
    log : LogSettings
        With the log.
    columns : Columns
    """

    def __init__(self, settings: ReportSettings, log: LogSettings, columns: Columns) -> None:
        self._settings, self._log, self._columns = settings, log, columns
        self._made: dict[tuple[ReportChoice, str], tuple[float, Future[Made]]] = {}
        self._lock = Lock()
        self._makers = ThreadPoolExecutor(1, thread_name_prefix="report")

    @property
    def usual(self) -> ReportChoice:
        """The choice of the settings; where they name no calendar, the reader's."""
        calendar = self._settings.calendar
        if "calendar" not in self._settings.model_fields_set and current_language() == "fa":
            calendar = "jalali"
        return ReportChoice(self._settings.period, calendar, self._settings.segment or "")

    def segments(self, columns: tuple[str, ...]) -> list[str]:
        """Return what customers can be told apart by, first by nothing.

        Parameters
        ----------
        columns : optional columns of the log
        """
        found = ["", self.usual.segment, ACQUISITION_PERIOD]
        found += [name for name, column in FROM_LOG.items() if column in columns]
        return list(dict.fromkeys([*found, *(["tier", "stage"] if self._settings.scores else [])]))

    def page(self, choice: ReportChoice, language: str) -> str | None:
        """Return the page of a report; None while it is in the making.

        Raises
        ------
        StayworthError
            If the log or a file cannot be read, or there is no such segment.
        """
        made = self._kept(choice, language, _PATIENCE_SECONDS)
        return made.page if made else None

    def summary(self, language: str) -> Made | None:
        """Return the usual report at once, for its numbers; None while it is in the making.

        Raises
        ------
        StayworthError
            As `page`.
        """
        return self._kept(self.usual, language, 0.0)

    def _kept(self, choice: ReportChoice, language: str, patience: float) -> Made | None:
        key = (choice, language)
        with self._lock:
            begun_at, made = self._made.get(key, (float("-inf"), None))
            if made is None or time.monotonic() - begun_at > _FRESH_SECONDS:
                made = self._makers.submit(self._make, choice, language)
                self._made[key] = (time.monotonic(), made)
                while len(self._made) > _REMEMBERED:
                    del self._made[min(self._made, key=lambda each: self._made[each][0])]
        try:
            return made.result(patience)
        except NotYet:
            return None
        except BaseException:
            with self._lock:
                self._made.pop(key, None)  # the file may be mended by the next time
            raise

    def _make(self, choice: ReportChoice, language: str) -> Made:
        chosen = {"period": choice.period, "calendar": choice.calendar, "segment": choice.segment or None}
        settings = self._settings.model_copy(update={**chosen, "out": Path(), "star_schema": False})
        with use_language(language), saying_instead(IN_BROWSER), about_the_log():
            made = made_report(settings, self._log, self._columns, lambda step, done, total: None)
            return Made(
                report_page(made),
                tiles_of(made),
                findings_of_the_log(made.findings),
                made.terms.inactivity_days,
            )
