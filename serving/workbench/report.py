"""The economics report among the workbench's own pages, with period, calendar and segment to choose."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from features.language import translatable, translated
from serving.report.folder import PAGE
from serving.workbench.page import part, said
from serving.workbench.reports import CALENDARS, PERIODS, ReportChoice, Reports
from serving.workbench.visit import Visit

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "frame-ancestors 'none'; sandbox allow-scripts"
)
"""The page draws its pictures by the script that it holds. In its sandbox it is of no site: it can neither ask the
workbench for anything nor read its cookies; its links lead on all the same."""

NAMES = {
    "week": translatable("weeks"),
    "month": translatable("months"),
    "quarter": translatable("quarters"),
    "year": translatable("years"),
    "gregorian": translatable("Gregorian"),
    "jalali": translatable("Jalali"),
    "": translatable("all customers"),
    "acquisition_period": translatable("period of the first purchase"),
    "first_channel": translatable("first channel"),
    "first_product": translatable("first product"),
    "tier": translatable("tier"),
    "stage": translatable("stage"),
}
_AGAIN_SECONDS = 3


def show(visit: Visit) -> Response:
    """Show the report's page: that of the folder until something is chosen, where there is a folder."""
    folder, reports = visit.sources.report, visit.sources.reports
    file = folder and folder / PAGE
    written = file if file and file.is_file() else None
    if reports is None:
        if written is None:
            sentence = translated(
                "Whoever runs the workbench can give it the log of orders, or a report that was written."
            )
            return said(visit, translated("There is no report here."), sentence, status=404)
        return _answer(written.read_text(encoding="utf-8"), part("report_bar.html", groups=[]))
    segments = reports.segments(visit.sources.orders.columns if visit.sources.orders else ())
    chosen = _choice(visit, reports, segments)
    bar = part("report_bar.html", groups=_groups(chosen, segments))
    if written and not visit.query:
        return _answer(written.read_text(encoding="utf-8"), bar)
    page = reports.page(chosen, visit.language)
    if page is None:
        title = translated("The report is in the making.")
        sentence = translated(
            "It takes some seconds, and minutes where the log is large. The page comes by itself."
        )
        return said(visit, title, sentence, status=200, Refresh=str(_AGAIN_SECONDS))
    return _answer(page, bar)


def _choice(visit: Visit, reports: Reports, segments: list[str]) -> ReportChoice:
    usual, asked = reports.usual, visit.query
    period, calendar = asked.get("period", usual.period), asked.get("calendar", usual.calendar)
    segment = asked.get("segment", usual.segment)
    return ReportChoice(
        period if period in PERIODS else usual.period,
        calendar if calendar in CALENDARS else usual.calendar,
        segment if segment in segments else usual.segment,
    )


def _groups(chosen: ReportChoice, segments: list[str]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return the controls: their titles, and for each value its name, its address and whether it is chosen."""
    values = {"period": PERIODS, "calendar": CALENDARS, "segment": segments}
    titles = {
        "period": translated("Periods"),
        "calendar": translated("Calendar"),
        "segment": translated("Customers by"),
    }
    return [
        (
            titles[name],
            [
                (
                    translated(NAMES[value]) if value in NAMES else value,
                    "/report?" + urlencode({**vars(chosen), name: value}),
                    getattr(chosen, name) == value,
                )
                for value in of_name
            ],
        )
        for name, of_name in values.items()
    ]


def _answer(page: str, bar: str) -> Response:
    """Return a report's page below a bar with the way back, and the controls."""
    before, body, after = page.partition("<body>")
    return HTMLResponse(
        f"{before}{body}{bar}{after}" if body else page, headers={"Content-Security-Policy": POLICY}
    )
