"""Files that are small and would fill a disk or a memory: refused by a limit that the message states."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import EmptyLogError, LogError
from features.log.sources import read_log
from features.log.workbooks import LARGEST_PART

ROWS = "x,y,z\n1,2,3\n"
MEMORY = 1 << 30
READ = f"""
import resource, sys
from features.log.sources import read_log
resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY}, {MEMORY}))
try:
    read_log(sys.argv[1])
except ValueError as error:
    print(error)
"""
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def read_in_little_memory(path: Path) -> str:
    """Read a file in a process that may hold a gibibyte, and return what it is refused with."""
    run = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout


def gzipped(path: Path, block: bytes, times: int) -> Path:
    """Write a file that unpacks to a block of 16 MiB many times over, in as many members."""
    member = gzip.compress(block * ((16 << 20) // len(block)), 6)
    path.write_bytes(member * times)
    return path


def workbook(path: Path, *rows: list[object], **parts: str) -> Path:
    """Write a workbook with a sheet, and other contents for parts of it (``sheet1``, ``sharedStrings``)."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    if parts:
        with zipfile.ZipFile(path) as whole:
            kept = {name: whole.read(name) for name in whole.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in kept.items():
                archive.writestr(name, parts.get(Path(name).stem, content))
    return path


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.jsonl.gz"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path, name: str) -> None:
    path = gzipped(tmp_path / name, b"a,b,c,d\n", 190)  # 3 GB in 3 MB

    said = read_in_little_memory(path)

    assert (
        "unpacks to more than 100 times its size, and to more than 64 MiB, as no table of orders does" in said
    )


def test_a_zip_that_unpacks_to_gigabytes_or_holds_another_packed_file_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.csv", b"a" * (80 << 20))
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        archive.writestr("orders.csv.gz", gzip.compress(ROWS.encode()))

    with pytest.raises(LogError, match="unpacks to more than 100 times its size"):
        read_log(tmp_path / "large.zip")
    with pytest.raises(LogError, match="must hold one table; it holds none"):
        read_log(tmp_path / "nested.zip")


def test_what_is_packed_well_but_small_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))

    assert path.stat().st_size * 100 < 4_000_000
    assert read_log(path).num_rows == 1_000_000


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"a" * (9 << 20), LogError, "a row is longer than 8 MiB"),
        (b"a,b\n" + b"a" * (9 << 20), LogError, "a row is longer than 8 MiB"),
        (b"a," * 20_000 + b"\n1\n", LogError, r"20,001 columns; at most 10,000 are read"),
        (b"\n" * 20_000, EmptyLogError, "begins with blank lines"),
        (b"a" * (9 << 20) + b"\xff", LogError, "a row is longer than 8 MiB"),
    ],
    ids=["one line", "one row", "columns", "blank lines", "no UTF-8"],
)
def test_a_text_without_lines_of_a_table_is_refused_for_that(
    tmp_path: Path, content: bytes, error: type[LogError], message: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)

    with pytest.raises(error, match=message):
        read_log(path)


def bombs() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield workbooks of a megabyte whose reading would take gigabytes or hours."""
    row = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'
    head = row.format("id")
    yield "XML", {"sheet1": SHEET.format(f"<sheetData>{head}{row.format('a') * 8_000_000}</sheetData>")}
    yield "gap", {"sheet1": SHEET.format(f'<sheetData>{head}<row r="2000000000"/></sheetData>')}
    texts = "<si><t>id</t></si><si><t>" + "a" * 32_000 + "</t></si>"
    cells = '<row><c t="s"><v>0</v></c></row>' + '<row><c t="s"><v>1</v></c></row>' * 100_000
    yield "text", {"sheet1": SHEET.format(f"<sheetData>{cells}</sheetData>"), "sharedStrings": texts}


@pytest.mark.parametrize("parts", [pytest.param(parts, id=name) for name, parts in bombs()])
def test_a_small_workbook_that_stands_for_gigabytes_is_refused(tmp_path: Path, parts: dict[str, str]) -> None:
    if texts := parts.get("sharedStrings"):
        namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        parts = parts | {"sharedStrings": f"<sst {namespace}>{texts}</sst>"}
    path = workbook(tmp_path / "orders.xlsx", ["id"], **parts)

    said = read_in_little_memory(path)

    assert path.stat().st_size < 2 << 20
    assert "as no table of orders does" in said or "the most that is read from a workbook" in said


def test_rows_beyond_the_size_that_a_sheet_states_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>5</v></c></row>' for n in (1, 2, 3)
    )
    sheet = SHEET.format(f'<dimension ref="A1:A2"/><sheetData>{rows}</sheetData>')

    path = workbook(tmp_path / "orders.xlsx", ["id"], sheet1=sheet)

    assert read_log(path).to_pylist() == [{"1": "2", "5": "5"}, {"1": "3", "5": "5"}]
    assert len(sheet) < LARGEST_PART


def test_a_parquet_file_of_a_few_runs_of_equal_values_is_refused(tmp_path: Path) -> None:
    # 200 times 100,000 rows of one text of 100 bytes: 2 GB in less than 1 MB
    path = tmp_path / "orders.parquet"
    table = pa.table({"id": pa.array(["a" * 100] * 100_000).dictionary_encode()})
    with pq.ParquetWriter(path, table.schema.remove_metadata(), store_schema=False) as writer:
        for _ in range(200):
            writer.write_table(table)

    said = read_in_little_memory(path)

    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 100 times its size, and to more than 512 MiB" in said


def test_an_object_that_is_nested_without_end_is_refused_and_ends_no_process(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"id": "a"}\n{"id": ' + "[" * 500_000 + "\n")

    assert "nested more than 100 deep" in read_in_little_memory(path)


def test_brackets_in_texts_do_not_add_up_from_line_to_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"id": "[:"}\n' * 100_000)

    assert read_log(path)["id"].unique() == pa.array(["[:"])
