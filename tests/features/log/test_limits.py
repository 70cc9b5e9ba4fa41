"""Files that are small and would fill a disk or a memory: refused by a limit that the message states."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import EmptyLogError, LogError
from features.log.sources import read_log

ROWS = "x,y,z\n1,2,3\n"
MOST_MEMORY = 768 << 20
READ = """
import re, resource, sys
from features.log.sources import read_log
resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
try:
    read_log(sys.argv[1])
except ValueError as error:
    print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1], error)
"""
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def read_in_little_memory(path: Path) -> str:
    """Read a file in a process of its own, look at how much it held, and return what the file is refused with."""
    run = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    kibibytes, _, said = run.stdout.partition(" ")
    assert int(kibibytes) << 10 < MOST_MEMORY
    return said


def gzipped(path: Path, block: bytes, times: int) -> Path:
    """Write a file that unpacks to a block of 16 MiB many times over, in as many members."""
    member = gzip.compress(block * ((16 << 20) // len(block)), 6)
    path.write_bytes(member * times)
    return path


def workbook(path: Path, sheet: str, texts: str = "") -> Path:
    """Write a workbook of a sheet and shared texts, both in XML."""
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name).decode() for name in whole.namelist()}
    parts["xl/worksheets/sheet1.xml"] = f"<worksheet {MAIN}>{sheet}</worksheet>"
    parts["xl/sharedStrings.xml"] = f"<sst {MAIN}>{texts}</sst>"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
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


ROW = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'
HEAD = ROW.format("id")
SHARED = '<row><c t="s"><v>0</v></c></row>'


@pytest.mark.parametrize(
    ("sheet", "texts"),
    [
        pytest.param(HEAD + ROW.format("a") * 300_000, "", id="XML"),
        pytest.param(f'{HEAD}<row r="2000000000"/>', "", id="rows"),
        pytest.param(HEAD + SHARED * 100_000, f"<si><t>{'a' * 32_000}</t></si>", id="text"),
    ],
)
def test_a_small_workbook_that_stands_for_gigabytes_is_refused(
    tmp_path: Path, sheet: str, texts: str
) -> None:
    path = workbook(tmp_path / "orders.xlsx", f"<sheetData>{sheet}</sheetData>", texts)

    said = read_in_little_memory(path)

    assert path.stat().st_size < 2 << 20
    assert "as no table of orders does" in said or "the most that is read from a workbook" in said


def test_rows_beyond_the_size_that_a_sheet_states_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>5</v></c></row>' for n in (1, 2, 3)
    )

    path = workbook(tmp_path / "orders.xlsx", f'<dimension ref="A1:A2"/><sheetData>{rows}</sheetData>')

    assert read_log(path).to_pylist() == [{"1": "2", "5": "5"}, {"1": "3", "5": "5"}]


def test_a_workbook_whose_parts_contradict_each_other_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "orders.xlsx", f"<sheetData>{SHARED}</sheetData>")

    with pytest.raises(LogError, match=r"orders\.xlsx cannot be read"):
        read_log(path)


def test_a_parquet_file_of_a_few_runs_of_equal_values_is_refused(tmp_path: Path) -> None:
    # 30 times 100,000 rows of one text of 100 bytes: 300 MB in less than 1 MB
    path = tmp_path / "orders.parquet"
    table = pa.table({"id": pa.array(["a" * 100] * 100_000).dictionary_encode()})
    with pq.ParquetWriter(path, table.schema.remove_metadata(), store_schema=False) as writer:
        for _ in range(30):
            writer.write_table(table)

    said = read_in_little_memory(path)

    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 100 times its size, and to more than 256 MiB" in said


def test_an_object_that_is_nested_without_end_is_refused_and_ends_no_process(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"id": "a"}\n{"id": ' + "[" * 100_000 + "]" * 100_000 + "}\n")

    assert "nested more than 100 deep" in read_in_little_memory(path)


def test_brackets_in_texts_do_not_add_up_from_line_to_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"id": "[:"}\n' * 100_000)

    assert read_log(path)["id"].unique() == pa.array(["[:"])
