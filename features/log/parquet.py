"""Parquet files, read as one table: their columns together, folders named ``column=value`` as a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs

from features.errors import LogError
from features.language import translated
from features.log.file_kinds import not_parquet
from features.log.streams import Stream, require_distinct
from features.log.unpacking import require_plausible_size

_FREE_PARQUET_BYTES = 256 << 20


def _plausible(batches: Iterator[pa.RecordBatch], path: Path, packed: int) -> Iterator[pa.RecordBatch]:
    """Yield batches as long as what they hold is plausible for the files' size: a run of equal values takes no room."""
    size = 0
    for batch in batches:
        size += batch.nbytes
        require_plausible_size(path, size, packed, free=_FREE_PARQUET_BYTES)
        yield batch


@contextmanager
def open_parquet(path: Path, files: Sequence[Path], chunk_rows: int) -> Iterator[Stream]:
    """Open Parquet files for reading; ``path`` is what they were given by, from which folders are columns."""
    options = pa.dataset.FileSystemFactoryOptions(
        partition_base_dir=str(path.absolute()), partitioning=pa.dataset.HivePartitioning.discover()
    )
    try:
        factory = pa.dataset.FileSystemDatasetFactory(
            pa.fs.LocalFileSystem(),
            [str(file.absolute()) for file in files],
            # Spark's INT96 holds the year 9999; nanoseconds would wrap it around to 1816.
            # What is read ahead lies in memory beside the log, and a disk of the machine needs no reading ahead.
            pa.dataset.ParquetFileFormat(coerce_int96_timestamp_unit="us", pre_buffer=False),
            options,
        )
        # Every file's schema: by default the first file's would drop what only later files have.
        dataset = factory.finish(factory.inspect(promote_options="permissive"))
        require_distinct(dataset.schema.names, str(path))
        scanner = dataset.scanner(batch_size=chunk_rows)
        yield Stream(
            str(path),
            dataset.schema.names,
            scanner.projected_schema,
            _plausible(scanner.to_batches(), path, sum(file.stat().st_size for file in files)),
            total_rows=dataset.count_rows(),
        )
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, pa.ArrowTypeError):
            raise LogError(
                translated("The files of {path} do not go together: {error}.", path=path, error=error)
            ) from None
        raise LogError(not_parquet(path, error)) from None
