"""Economics reports among the pages: one for each choice of period, calendar and segment, made when asked for.

A report of a large log takes minutes: it is made beside the requests, one at a time, and kept for an hour.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from features.economics.segments import ACQUISITION_PERIOD, FROM_LOG
from features.economics.settings import ReportSettings
from features.language import use_language
from features.log.settings import Columns, LogSettings
from serving.campaign.economics import made_report
from serving.report.page import report_page
from serving.workbench.wording import about_the_log

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
        self._pages: dict[tuple[ReportChoice, str], tuple[float, Future[str]]] = {}
        self._lock = Lock()
        self._makers = ThreadPoolExecutor(1, thread_name_prefix="report")

    @property
    def usual(self) -> ReportChoice:
        """The choice of the settings."""
        return ReportChoice(self._settings.period, self._settings.calendar, self._settings.segment or "")

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
        key = (choice, language)
        with self._lock:
            begun_at, page = self._pages.get(key, (float("-inf"), None))
            if page is None or time.monotonic() - begun_at > _FRESH_SECONDS:
                page = self._makers.submit(self._made, choice, language)
                self._pages[key] = (time.monotonic(), page)
                while len(self._pages) > _REMEMBERED:
                    del self._pages[min(self._pages, key=lambda each: self._pages[each][0])]
        try:
            return page.result(_PATIENCE_SECONDS)
        except NotYet:
            return None
        except BaseException:
            with self._lock:
                self._pages.pop(key, None)  # the file may be mended by the next time
            raise

    def _made(self, choice: ReportChoice, language: str) -> str:
        chosen = {"period": choice.period, "calendar": choice.calendar, "segment": choice.segment or None}
        settings = self._settings.model_copy(update={**chosen, "out": Path(), "star_schema": False})
        with use_language(language), about_the_log():
            made = made_report(settings, self._log, self._columns, lambda step, done, total: None)
            return report_page(made)
