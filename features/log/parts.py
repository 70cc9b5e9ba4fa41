"""Parts of a log that were read before: a shop that exports its new orders alone, night by night or month by month.

A part is what one source gave, as raw as it was read, in a Parquet file. Its name is that of the file, or the address
of the query: what comes under a name that is there takes its place, as a month that was exported again; anything else
is added. The log is all parts, in the order of their names, whatever night each came in. So late orders and refunds
of earlier days need no care, and everything is computed as from one file with the same rows.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.address import DatabaseAddress
from features.errors import LogError, OutputError
from features.files import atomic_path
from features.language import translated

_SUFFIX = ".part.parquet"
_READABLE = re.compile(r"[^\w.-]+")


def kept_parts(folder: Path) -> list[Path]:
    """Return the files of a folder of parts, in the order of their rows; none if there is no such folder."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


class LogParts:
    """A folder of parts.

    Parameters
    ----------
    folder : Path, made when the first part is kept
    source : str, the place of tonight's rows, as `features.log.sources.read_log` takes it

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for month, amounts in (("05", ["1"]), ("06", ["2"]), ("05", ["1", "3"])):
    ...     parts = LogParts(folder, f"exports/orders-{month}.csv")
    ...     tonight = pa.table({"amount": amounts})
    ...     log = parts.joined(tonight)
    ...     parts.keep()
    >>> log["amount"].to_pylist()
    ['1', '3', '2']
    """

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        name = str(DatabaseAddress(source)) if "://" in source else Path(source.partition("?")[0]).name
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        readable = "query" if "://" in source else _READABLE.sub("_", name)[:60]
        self._file = folder / f"{readable}-{digest}{_SUFFIX}"
        self._tonight = pa.table({})

    def joined(self, raw: pa.Table) -> pa.Table:
        """Return the rows of all parts, tonight's in the place of those that had its name.

        Raises
        ------
        LogError
            If a part cannot be read, or has other columns.
        """
        self._tonight = raw
        files = sorted({*kept_parts(self.folder), self._file})
        tables = [raw if file == self._file else self._read(file, raw) for file in files]
        try:
            return pa.concat_tables(tables, promote_options="default")
        except pa.ArrowException as error:
            raise LogError(
                translated(
                    "The parts of {folder} do not go together: {error}.", folder=self.folder, error=error
                )
            ) from None

    def keep(self) -> None:
        """Keep the rows that were joined last, whole or not at all, for their owner alone.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                translated("Cannot write {path}: {reason}.", path=self.folder, reason=error.strerror)
            ) from None
        with atomic_path(self._file, private=True) as beside:
            pq.write_table(self._tonight, beside)

    def _read(self, file: Path, raw: pa.Table) -> pa.Table:
        try:
            table = pq.read_table(file)
        except (pa.ArrowException, OSError) as error:
            raise LogError(
                translated(
                    "The part {file} cannot be read: {error}. Delete it, and give its rows again.",
                    file=str(file),
                    error=error,
                )
            ) from None
        if odd := sorted(set(table.column_names) ^ set(raw.column_names)):
            raise LogError(
                translated(
                    "The parts of {folder} do not go together: {one} and tonight's rows differ in the columns {odd}.",
                    folder=self.folder,
                    one=file.name,
                    odd=odd,
                )
            )
        return table.select(raw.column_names)
