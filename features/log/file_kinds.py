"""What a file really is, by its first bytes, and its text in plain UTF-8.

People rename files: a workbook is called .csv, a web page .xls. The first bytes say what is there. A text
that is compressed, or written in UTF-16 as Excel's "Unicode text" is, is unpacked into a temporary file.
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
from features.temporary import temporary_folder

TEXT = "text"
_SIGNATURES = (
    (b"PAR1", "a Parquet file", ".parquet"),
    (b"PK\x03\x04", "a ZIP archive", ".zip"),
    (b"\x1f\x8b", "a gzip file", ".csv.gz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", ".csv.zst"),
    (b"BZh", "a bzip2 file", ".csv.bz2"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", ".xls"),
    (b"SQLite format 3\x00", "a SQLite database", ".db"),
    (b"%PDF", "a PDF document", ".pdf"),
)
_DUCKDB = (b"DUCK", 8)  # these bytes at this place
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_REMEDIES = {
    ".xls": "Save it as .xlsx or as CSV UTF-8.",
    ".html": "Open it in a spreadsheet and save it as .xlsx or as CSV UTF-8.",
    ".json": "Write one object per line (jq -c '.[]' {name} > {stem}.jsonl), and give that.",
    ".pdf": "Export the table itself as CSV.",
    ".db": "Give it as sqlite:///{name}?table=NAME.",
    ".duckdb": "Export the table: COPY orders TO 'orders.parquet'.",
}
PACKED = (".gz", ".bz2", ".zst")
PLAUSIBLE_RATIO = 100
"""Times its size to which a file may unpack: orders unpack to 3 to 30 times theirs."""
FREE_BYTES = 64 << 20
"""Unpacked size up to which the ratio does not matter."""
_HEAD_BYTES = 4096
_COPY_BYTES = 1 << 20


def suffix_of(path: Path | PurePosixPath) -> str:
    """Return the extension that says what a file holds, in lower case, without that of its compression.

    Examples
    --------
    >>> suffix_of(Path("Orders.CSV.gz")), suffix_of(Path("orders.parquet")), suffix_of(Path("orders.gz"))
    ('.csv', '.parquet', '')
    """
    inner = Path(path.name.lower())
    return Path(inner.stem).suffix if inner.suffix in PACKED else inner.suffix


def require_content(path: Path, *signatures: str) -> None:
    """Raise a LogError that names what a file is, if it is known and none of the kinds it may be.

    Parameters
    ----------
    path : file to look at
    signatures : the extensions that fit: ``.parquet``, ``.zip``, ``.csv.gz`` …; text always fits none
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    what, suffix = content_of(head)
    if what == TEXT and path.suffix.lower() in PACKED and head:
        what, suffix = "text that is not packed", ".csv"
    if what == TEXT or suffix in signatures:
        return
    if suffix == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.startswith("xl/") for name in archive.namelist()):
                what, suffix = "an Excel workbook", ".xlsx"
    if suffix in signatures:
        return
    raise LogError(
        translated(
            "{path} is not what its name says: it is {what}. {remedy}",
            path=path,
            what=what,
            remedy=_remedy(path, suffix),
        )
    )


def not_parquet(path: Path, error: Exception) -> str:
    """Say that a file is no Parquet file, and what it is if that is known."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if content_of(head)[0] == TEXT and head and b"\0" not in head:
            return f"{path} is not what its name says: it is text. If it is a table, rename it to {path.stem}.csv."
    return f"{path} is not a Parquet file, or is damaged: {error}."


def kind_in_words(path: Path) -> str:
    """Return a sentence that says what a file is and how to make a table of it, if it is known; else nothing."""
    with path.open("rb") as file:
        what, suffix = content_of(file.read(_HEAD_BYTES))
    return "" if what == TEXT else f" It is {what}. {_remedy(path, suffix)}"


def _remedy(path: Path, suffix: str) -> str:
    remedy = _REMEDIES.get(suffix, "Rename it to {stem}{suffix}.")
    return remedy.format(name=path.name, stem=path.name.partition(".")[0], suffix=suffix)


def content_of(head: bytes) -> tuple[str, str]:
    """Return in words what a file is, and the extension it should have, by its first bytes.

    Examples
    --------
    >>> content_of(b"PAR1...."), content_of(b"a,b")
    (('a Parquet file', '.parquet'), ('text', ''))
    """
    for signature, what, suffix in _SIGNATURES:
        if head.startswith(signature):
            return what, suffix
    if head[_DUCKDB[1] : _DUCKDB[1] + 4] == _DUCKDB[0]:
        return "a DuckDB database", ".duckdb"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<body", b"<div")):
        return "a web page (HTML) or XML", ".html"
    if start.startswith(b'{"') and head.partition(b"\n")[0].rstrip().endswith(b"}"):
        return "JSON lines", ".jsonl"
    if start.startswith((b"[{", b"[\n", b"[ {", b"[]", b"{")):
        return "JSON", ".json"
    return TEXT, ""


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
            head = file.read(_HEAD_BYTES)
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
