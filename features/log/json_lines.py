"""JSON lines: one flat object per line, with texts and numbers as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json

from features.documents import DEEPEST
from features.errors import LogError
from features.language import translated
from features.log.streams import Stream
from features.log.unpacking import plain_text

_BLOCK_BYTES = 1 << 20
_OPENING, _CLOSING = np.frombuffer(b"[{", np.uint8), np.frombuffer(b"]}", np.uint8)


@contextmanager
def open_json_lines(path: Path, encoding: str | None = None) -> Iterator[Stream]:
    """Open a file of JSON lines for reading, perhaps packed.

    Raises
    ------
    LogError
        If it is none, or an object is nested more deeply than anything that a log may hold.
    """
    with plain_text(path, encoding) as text:
        _require_flat(text, path)
        try:
            table = pa.json.read_json(str(text))
        except pa.ArrowException as error:
            raise LogError(
                translated("{path} does not hold one JSON object per line: {error}.", path=path, error=error)
            ) from None
    yield Stream(str(path), table.column_names, table.schema, iter(table.to_batches()), table.num_rows)


def _require_flat(text: Path, path: Path) -> None:
    """Refuse objects nested so deeply that Arrow's parser, which is recursive, would crash."""
    depth = 0
    with text.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            letters = np.frombuffer(block, np.uint8)
            steps = np.isin(letters, _OPENING).astype(np.int64) - np.isin(letters, _CLOSING)
            depths = depth + np.cumsum(steps)
            # Brackets within texts do not add up from line to line: each begins at 0 again.
            breaks = letters == ord("\n")
            ends = np.where(breaks, depths, 0)
            lines = np.maximum.accumulate(np.where(breaks, np.arange(letters.size), -1))
            depths = np.where(lines >= 0, depths - ends[lines], depths)
            if depths.max() > DEEPEST:
                raise LogError(
                    translated(
                        "{path} is nested more than {deepest} deep. Write one flat object per line.",
                        path=path,
                        deepest=DEEPEST,
                    )
                )
            depth = int(depths[-1])
