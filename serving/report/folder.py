"""The folder of a report: the page, every table as CSV, the meaning of the columns, and all of it as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

from features.economics.tables import EconomicsReport
from features.errors import OutputError
from features.files import atomic_folder
from features.language import translated
from features.table_files import write_csv, write_parquet
from serving.report.page import report_page
from serving.report.workbook import write_workbook

RECORD, PAGE, WORKBOOK, STAR_SCHEMA = "report.json", "report.html", "report.xlsx", "star_schema"
"""Every folder of a report holds the record; a folder without it is never replaced."""


def require_target(folder: Path) -> None:
    """Raise an OutputError now if a report cannot be written there later."""
    if folder.exists() and not (folder / RECORD).is_file():
        raise OutputError(
            translated("{folder} exists and is no report. Choose another folder.", folder=folder)
        )
    if not folder.absolute().parent.is_dir():
        raise OutputError(
            translated(
                "Cannot write {folder}: the folder {parent} does not exist.",
                folder=folder,
                parent=folder.absolute().parent,
            )
        )


def write_report(report: EconomicsReport, folder: str | os.PathLike[str], *, workbook: bool = False) -> None:
    """Write a report into a new folder of mode 0700, or in place of another report, whole or not at all.

    Parameters
    ----------
    report : EconomicsReport
    folder : path
    workbook : bool
        Add `WORKBOOK`, which holds every table.

    A report with a star schema gets the folder `STAR_SCHEMA`.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something else.
    """
    with atomic_folder(folder, RECORD) as beside:
        for table in report.tables:
            write_csv(table.rows, beside / f"{table.name}.csv")
        write_csv(report.definitions(), beside / "definitions.csv")
        if workbook:
            write_workbook(report, beside / WORKBOOK)
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1, default=str)
        (beside / RECORD).write_text(text, encoding="utf-8")
        (beside / PAGE).write_text(report_page(report), encoding="utf-8")
        for path in beside.iterdir():
            path.chmod(0o600)
        if report.star_schema:
            star = beside / STAR_SCHEMA
            star.mkdir(mode=0o700)
            for name, table in report.star_schema.items():
                write_csv(table, star / f"{name}.csv")
                write_parquet(table, star / f"{name}.parquet")
