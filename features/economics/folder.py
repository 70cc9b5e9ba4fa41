"""The folder of a report: every table as CSV, the meaning of the columns, and all of it as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from features.economics.tables import EconomicsReport
from features.errors import OutputError
from features.files import atomic_folder, write_csv

RECORD = "report.json"
"""Every folder of a report holds it; a folder without it is never replaced."""


def require_target(folder: Path) -> None:
    """Raise an OutputError now if a report cannot be written there later."""
    if folder.exists() and not (folder / RECORD).is_file():
        raise OutputError(f"{folder} exists and is no report. Choose another folder.")
    if not folder.absolute().parent.is_dir():
        raise OutputError(f"Cannot write {folder}: the folder {folder.absolute().parent} does not exist.")


def write_report(report: EconomicsReport, folder: str | os.PathLike[str]) -> None:
    """Write a report into a new folder of mode 0700, or in place of another report, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something else.
    """
    with atomic_folder(folder, RECORD) as beside:
        for table in report.tables:
            write_csv(table.rows, beside / f"{table.name}.csv")
        write_csv(definitions(report), beside / "definitions.csv")
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1, default=str)
        (beside / RECORD).write_text(text, encoding="utf-8")
        (beside / RECORD).chmod(0o600)


def definitions(report: EconomicsReport) -> pd.DataFrame:
    """Return what each column of each table means."""
    rows = [
        {
            "table": table.name,
            "column": each.name,
            "unit": each.unit,
            "meaning": each.meaning,
            "formula": each.formula,
        }
        for table in report.tables
        for each in table.columns
    ]
    return pd.DataFrame(rows)
