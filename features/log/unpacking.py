"""What is packed in a file: its text in plain UTF-8, or the one table of an archive, within plausible limits.

A text that is compressed, or written in UTF-16 as Excel's "Unicode text" is, is unpacked into a temporary file.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np
import pyarrow as pa

from features.errors import LogError
from features.language import translated
from features.log.file_kinds import HEAD_BYTES, PACKED
from features.temporary import temporary_folder

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PLAUSIBLE_RATIO = 100
"""Times its size to which a file may unpack: orders unpack to 3 to 30 times theirs."""
FREE_BYTES = 64 << 20
"""Unpacked size up to which the ratio does not matter."""
_COPY_BYTES = 1 << 20


@contextmanager
def plain_text(path: Path, encoding: str | None = None) -> Iterator[Path]:
    """Yield a file with a text in UTF-8: the file itself, or a temporary one that it is unpacked into.

    Parameters
    ----------
    path : file, perhaps ending in .gz, .bz2 or .zst
    encoding : str, optional
        Such as ``cp1252``. By default UTF-8, or what a byte order mark says.

    Raises
    ------
    LogError
        If the text cannot be unpacked or decoded.
    """
    packed = path.suffix.lower() in PACKED
    try:
        with unpacked(path) as file:
            head = file.read(HEAD_BYTES)
        encoding = encoding or _encoding_of(head)
        if not packed and encoding is None:
            yield path
            return
        with temporary_folder() as folder:
            target = folder / path.name
            with unpacked(path) as source, target.open("wb") as sink:
                for block in _decoded(_blocks(source, path, path.stat().st_size), encoding):
                    sink.write(block)
            yield target
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise LogError(translated("{path} cannot be read: {error}.", path=path, error=error)) from None


def _encoding_of(head: bytes) -> str | None:
    """Return the encoding that a text's first bytes show, if it is not UTF-8.

    Examples
    --------
    >>> _encoding_of("customer_id".encode("utf-16")), _encoding_of("customer_id".encode("utf-16-le"))
    ('utf-16', 'utf-16-le')
    """
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked or not head:
        return marked
    # Without a mark: the header's letters are Latin ones for the most part, half of whose bytes are zero.
    zeros = [head[start::2].count(0) / len(head[start::2] or b" ") for start in (0, 1)]
    return ("utf-16-be", "utf-16-le")[int(np.argmax(zeros))] if max(zeros) > 0.5 > 10 * min(zeros) else None


def unpacked(path: Path) -> IO[bytes]:
    """Open a file, decompressed if its extension says so."""
    match path.suffix.lower():
        case ".gz":
            return cast(IO[bytes], gzip.open(path))
        case ".bz2":
            return cast(IO[bytes], bz2.open(path))
        case ".zst":
            return cast(IO[bytes], pa.input_stream(str(path), compression="zstd"))
    return path.open("rb")


def require_plausible_size(path: Path, size: int, packed: int, *, free: int = FREE_BYTES) -> None:
    """Refuse what unpacks to so many times its size that it is no table, but fills disks and memory.

    Parameters
    ----------
    path : file that the message names
    size, packed : int, bytes unpacked so far, and packed
    free : int, bytes up to which the ratio does not matter

    Raises
    ------
    LogError

    Examples
    --------
    >>> require_plausible_size(Path("orders.csv.gz"), 3 << 30, 100 << 20)
    >>> require_plausible_size(Path("orders.csv.gz"), 3 << 30, 3 << 20)
    Traceback (most recent call last):
    features.errors.LogError: orders.csv.gz unpacks to more than 100 times its size, and to more than 64 MiB, as no \
table of orders does. If it is one, unpack it and give what is in it.
    """
    if size > max(free, PLAUSIBLE_RATIO * packed):
        raise LogError(
            translated(
                "{path} unpacks to more than {most} times its size, and to more than {size:,} "
                "MiB, as no table of orders does. If it is one, unpack it and give what is in it.",
                path=path,
                most=PLAUSIBLE_RATIO,
                size=free >> 20,
            )
        )


def _blocks(source: IO[bytes], path: Path, packed: int) -> Iterator[bytes]:
    """Yield what a packed file holds, as long as its size is plausible."""
    size = 0
    while block := source.read(_COPY_BYTES):
        size += len(block)
        require_plausible_size(path, size, packed)
        yield block


def _decoded(blocks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield a text in UTF-8."""
    if encoding is None:
        yield from blocks
        return
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except LookupError:
        raise LogError(
            translated(
                "There is no encoding {encoding!r}. Write it as utf-8, cp1252 or cp1256.", encoding=encoding
            )
        ) from None
    except UnicodeDecodeError as error:
        raise LogError(
            translated(
                "The text is not {encoding}: {reason}. Give another --encoding.",
                encoding=encoding,
                reason=error.reason,
            )
        ) from None


@contextmanager
def unzipped(path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield the one table that a ZIP archive holds, as a temporary file.

    Raises
    ------
    LogError
        If it holds none of these kinds, or more than one.
    """
    try:
        with zipfile.ZipFile(path) as archive, temporary_folder() as folder:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir()
                and not member.filename.startswith("__MACOSX/")
                and PurePosixPath(member.filename.lower()).suffix in suffixes
            ]
            if len(members) != 1:
                names = ", ".join(member.filename for member in members) or "none"
                raise LogError(
                    translated(
                        "{path} must hold one table; it holds {names}. Unpack it and give one file.",
                        path=path,
                        names=names,
                    )
                )
            target = folder / PurePosixPath(members[0].filename).name
            with archive.open(members[0]) as source, target.open("wb") as sink:
                for block in _blocks(source, path, members[0].compress_size):
                    sink.write(block)
            yield target
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # RuntimeError: a password
        raise LogError(translated("{path} cannot be unpacked: {error}.", path=path, error=error)) from None
