"""Workbooks of Excel whose texts are texts: none is run as a formula or a link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError


@contextmanager
def excel_book(path: Path, **options: Any) -> Iterator[Any]:
    """Yield a workbook to fill; it is written when the block ends.

    It is zipped in memory: XlsxWriter leaves a file on a full disk open, and its end is then told a second time, as a
    fault of Python.

    Parameters
    ----------
    path : Path, of a new file
    options
        Of XlsxWriter.

    Raises
    ------
    OSError
        If the file, or its parts beside it, cannot be written.
    """
    with TemporaryDirectory(dir=path.parent) as parts:
        zipped, plain = BytesIO(), {"tmpdir": parts, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(zipped, plain | options)
        try:
            yield book
            book.close()
        except FileCreateError as error:
            raise error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error)) from error
        finally:
            for sheet in book.worksheets():
                with suppress(OSError):  # what was not written yet, once more
                    sheet.row_data_fh and sheet.row_data_fh.close()
        path.write_bytes(zipped.getbuffer())
