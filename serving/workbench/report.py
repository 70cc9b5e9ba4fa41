"""The page of the economics report, as ``stayworth report`` wrote it, among the workbench's own."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from features.language import translated
from serving.report.folder import PAGE
from serving.workbench.page import said
from serving.workbench.visit import Visit

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "frame-ancestors 'none'; sandbox allow-scripts"
)
"""The page draws its pictures by the script that it holds. In its sandbox it is of no site: it can neither ask the
workbench for anything nor read its cookies."""


def show(visit: Visit) -> Response:
    """Show the report's page."""
    folder = visit.sources.report
    file = folder and folder / PAGE
    if not file or not file.is_file():
        sentence = translated("Write one, and say where it is: stayworth workbench --report FOLDER")
        return said(visit, translated("There is no report here."), sentence, status=404)
    return HTMLResponse(file.read_text(encoding="utf-8"), headers={"Content-Security-Policy": POLICY})
