"""What a file really is, by its first bytes.

People rename files: a workbook is called .csv, a web page .xls. The first bytes say what is there.
"""

from __future__ import annotations

import codecs
import zipfile
from pathlib import Path, PurePosixPath

from features.errors import LogError
from features.language import translatable, translated

TEXT = "text"
_SIGNATURES = (
    (b"PAR1", translatable("a Parquet file"), ".parquet"),
    (b"PK\x03\x04", translatable("a ZIP archive"), ".zip"),
    (b"\x1f\x8b", translatable("a gzip file"), ".csv.gz"),
    (b"\x28\xb5\x2f\xfd", translatable("a Zstandard file"), ".csv.zst"),
    (b"BZh", translatable("a bzip2 file"), ".csv.bz2"),
    (b"\xd0\xcf\x11\xe0", translatable("an old Excel workbook (.xls)"), ".xls"),
    (b"SQLite format 3\x00", translatable("a SQLite database"), ".db"),
    (b"%PDF", translatable("a PDF document"), ".pdf"),
)
_DUCKDB = (b"DUCK", 8)  # these bytes at this place
_REMEDIES = {
    ".xls": translatable("Save it as .xlsx or as CSV UTF-8."),
    ".html": translatable("Open it in a spreadsheet and save it as .xlsx or as CSV UTF-8."),
    ".json": translatable("Write one object per line (jq -c '.[]' {name} > {stem}.jsonl), and give that."),
    ".pdf": translatable("Export the table itself as CSV."),
    ".db": translatable("Give it as sqlite:///{name}?table=NAME."),
    ".duckdb": translatable("Export the table: COPY orders TO 'orders.parquet'."),
}
PACKED = (".gz", ".bz2", ".zst")
HEAD_BYTES = 4096


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
        head = file.read(HEAD_BYTES)
    what, suffix = content_of(head)
    if what == TEXT and path.suffix.lower() in PACKED and head:
        what, suffix = translatable("text that is not packed"), ".csv"
    if what == TEXT or suffix in signatures:
        return
    if suffix == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.startswith("xl/") for name in archive.namelist()):
                what, suffix = translatable("an Excel workbook"), ".xlsx"
    if suffix in signatures:
        return
    raise LogError(
        translated(
            "{path} is not what its name says: it is {what}. {remedy}",
            path=path,
            what=translated(what),
            remedy=_remedy(path, suffix),
        )
    )


def not_parquet(path: Path, error: Exception) -> str:
    """Say that a file is no Parquet file, and what it is if that is known."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if content_of(head)[0] == TEXT and head and b"\0" not in head:
            return translated(
                "{path} is not what its name says: it is text. If it is a table, rename it to {name}.",
                path=path,
                name=f"{path.stem}.csv",
            )
    return translated("{path} is not a Parquet file, or is damaged: {error}.", path=path, error=error)


def kind_in_words(path: Path) -> str:
    """Return a sentence that says what a file is and how to make a table of it, if it is known; else nothing."""
    with path.open("rb") as file:
        what, suffix = content_of(file.read(HEAD_BYTES))
    if what == TEXT:
        return ""
    return " " + translated("It is {what}. {remedy}", what=translated(what), remedy=_remedy(path, suffix))


def _remedy(path: Path, suffix: str) -> str:
    remedy = _REMEDIES.get(suffix, translatable("Rename it to {stem}{suffix}."))
    return translated(remedy, name=path.name, stem=path.name.partition(".")[0], suffix=suffix)


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
        return translatable("a DuckDB database"), ".duckdb"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<body", b"<div")):
        return translatable("a web page (HTML) or XML"), ".html"
    if start.startswith(b'{"') and head.partition(b"\n")[0].rstrip().endswith(b"}"):
        return translatable("JSON lines"), ".jsonl"
    if start.startswith((b"[{", b"[\n", b"[ {", b"[]", b"{")):
        return "JSON", ".json"
    return TEXT, ""
