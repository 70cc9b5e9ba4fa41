import bz2
import gzip
import sqlite3
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.errors import EmptyLogError, LogError
from features.log.checks import check
from features.log.settings import LogRules, LogSettings
from features.log.sources import read_log, read_table
from features.log.validation import validate

ORDERS = "customer_id,ordered_at,amount\n007,2011-01-31,20.50\nآرش,2011-02-01,-3\n"
ROWS = [
    {"customer_id": "007", "ordered_at": "2011-01-31", "amount": "20.50"},
    {"customer_id": "آرش", "ordered_at": "2011-02-01", "amount": "-3"},
]


def csv_file(folder: Path, content: str | bytes, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet_file(path: Path, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


# --- CSV


def test_a_csv_arrives_as_text_with_leading_zeros_and_persian_names(tmp_path):
    assert read_log(csv_file(tmp_path, ORDERS)).to_pylist() == ROWS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orders.csv", b"\xef\xbb\xbf" + ORDERS.encode()),
        ("orders.csv", ORDERS.replace("\n", "\r\n").encode()),
        ("orders.csv", ORDERS.encode("utf-16-le")),
        ("orders.csv", ORDERS.encode("utf-16-be")),
        ("orders.csv", b"\n\n" + ORDERS.encode()),
        ("orders.csv", ORDERS.rstrip("\n").encode()),
        ("orders.csv", ORDERS.replace(",", ";").encode()),
        ("orders.csv", ORDERS.replace(",", "|").encode()),
        ("orders.tsv", ORDERS.replace(",", "\t").encode()),
        ("ORDERS.CSV", ORDERS.encode()),
        ("orders.csv.gz", gzip.compress(ORDERS.encode(), mtime=0)),
        ("orders.tsv.gz", gzip.compress(b"\xef\xbb\xbf" + ORDERS.replace(",", "\t").encode(), mtime=0)),
    ],
    ids=[
        "bom",
        "crlf",
        "utf-16-le",
        "utf-16-be",
        "blank lines first",
        "no last newline",
        ";",
        "|",
        "tab",
        "capitals",
        "gz",
        "bom gz",
    ],
)
def test_every_common_form_of_csv_gives_the_same_rows(tmp_path, name, content):
    assert read_log(csv_file(tmp_path, content, name)).to_pylist() == ROWS


def test_a_decimal_comma_in_a_semicolon_file_stays_one_cell(tmp_path):
    path = csv_file(tmp_path, "customer_id;amount\n1;20,50\n")

    assert read_log(path).to_pylist() == [{"customer_id": "1", "amount": "20,50"}]


def test_words_that_mean_missing_elsewhere_stay_text_and_an_empty_cell_stays_empty(tmp_path):
    path = csv_file(tmp_path, "customer_id,amount\nNA,nan\nnull,\n")

    assert read_log(path).to_pylist() == [
        {"customer_id": "NA", "amount": "nan"},
        {"customer_id": "null", "amount": ""},
    ]


def test_a_quoted_cell_may_hold_separators_quotes_and_line_breaks(tmp_path):
    path = csv_file(tmp_path, 'customer_id,note\n1,"a, ""b""\nc"\n2,5" pipe\n')

    assert read_log(path).column("note").to_pylist() == ['a, "b"\nc', '5" pipe']


def test_columns_without_a_name_are_left_out(tmp_path):
    path = csv_file(tmp_path, ",customer_id,amount,,\n0,7,5,,\n")

    assert read_log(path).to_pylist() == [{"customer_id": "7", "amount": "5"}]


def test_columns_of_one_name_are_numbered_so_that_either_can_be_meant(tmp_path):
    path = csv_file(tmp_path, "id,amount,amount\n1,2,3\n")

    assert read_log(path).to_pylist() == [{"id": "1", "amount#1": "2", "amount#2": "3"}]


def test_progress_counts_rows_up_to_all_of_them(tmp_path):
    path = csv_file(tmp_path, "customer_id,note\n" + f"1,{'x' * 1000}\n" * 20_000)  # 20 MB: three blocks
    seen = []

    read_log(path, progress=lambda step, done, total: seen.append((step, done, total)))

    assert len(seen) >= 3 and seen == sorted(seen)
    assert seen[-1] == (f"Reading {path}", 20_000, 0)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_named_as_such(tmp_path, content):
    with pytest.raises(EmptyLogError, match=r"orders\.csv is empty"):
        read_log(csv_file(tmp_path, content))


@pytest.mark.parametrize("content", ["customer_id,amount\n", "customer_id,amount"])
def test_a_header_alone_is_a_log_without_rows(tmp_path, content):
    with pytest.raises(EmptyLogError, match=r"columns \(customer_id, amount\) but no rows"):
        read_log(csv_file(tmp_path, content))


def test_a_row_that_does_not_fit_the_header_is_named_by_its_number_without_its_values(tmp_path):
    # Two rows fit; the blank line is no row; the third has three cells.
    path = csv_file(tmp_path, 'customer_id,amount\n1,"2\n2"\n\n1,2\nsecret,12,50\n')

    with pytest.raises(LogError, match="data row 3: 3 cells, where the header has 2") as caught:
        read_log(path)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_row_number_counts_through_blocks_and_gzip(tmp_path):
    lines = f"1,{'x' * 1000}\n" * 20_000 + "1\n"
    path = csv_file(tmp_path, gzip.compress(f"customer_id,note\n{lines}".encode(), 1), "orders.csv.gz")

    with pytest.raises(
        LogError, match="data row 20001: 1 cell, .*; a note below the table, or another table"
    ):
        read_log(path)


@pytest.mark.parametrize("rest", ["", "\n3,4\n" * 50_000])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(tmp_path, rest):
    path = csv_file(tmp_path, f'customer_id,note\n1,5" pipe\n2,"oops{rest}')

    with pytest.raises(LogError, match="data row 2: a quote"):
        read_log(path)


def test_a_quote_that_swallows_megabytes_is_named_too(tmp_path):
    path = csv_file(tmp_path, 'customer_id,note\n1,"oops\n' + f"2,{'x' * 1000}\n" * 20_000)

    with pytest.raises(LogError, match="longer than 8 MiB. Most likely a quote"):
        read_log(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("customer_id,note\n1,ok\n2,Müller\n".encode("latin-1"), 3),
        ("kunde,größe\n1,2\n".encode("cp1252"), 1),
    ],
)
def test_another_encoding_is_named_by_line(tmp_path, content, line):
    with pytest.raises(LogError, match=f"line {line}: not UTF-8. Save it as UTF-8"):
        read_log(csv_file(tmp_path, content))


def test_a_damaged_gz_is_refused(tmp_path):
    content = gzip.compress(ORDERS.encode() * 100, mtime=0)[:-20]

    with pytest.raises(LogError, match=r"orders\.csv\.gz cannot be read"):
        read_log(csv_file(tmp_path, content, "orders.csv.gz"))


# --- Files in general


def test_a_missing_file_suggests_the_nearest_name(tmp_path):
    csv_file(tmp_path, ORDERS, "Orders_2011.csv")

    with pytest.raises(LogError, match=r"no file order_2011\.csv in .*Did you mean Orders_2011\.csv\?"):
        read_log(tmp_path / "order_2011.csv")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(LogError, match="the folder .*nowhere does not exist"):
        read_log(tmp_path / "nowhere" / "orders.csv")


@pytest.mark.parametrize("name", ["orders.xls", "orders", "orders.gz", "orders.json"])
def test_another_kind_of_file_says_which_kinds_there_are(tmp_path, name):
    with pytest.raises(LogError, match=r"\.csv or \.tsv file .* postgresql:// or sqlite:/// URI"):
        read_log(csv_file(tmp_path, ORDERS, name))


def test_another_kind_of_file_is_named_if_it_is_known_with_the_way_to_a_table(tmp_path):
    with pytest.raises(LogError, match=r"It is a DuckDB database\. Export the table: COPY orders TO"):
        read_log(csv_file(tmp_path, bytes(8) + b"DUCK", "shop.duckdb"))
    with pytest.raises(LogError, match=r"not read from s3:// addresses\. Export the table as \.parquet"):
        read_log("s3://shop/orders.csv?table=orders")


# --- Files as people have them


def workbook(path: Path, **sheets: Any) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_line_that_declares_the_separator_and_titles_above_the_header_are_left_out(tmp_path):
    semicolons = ORDERS.replace(",", ";")
    heads = {
        "sep.csv": "sep=;\n" + semicolons,
        "bom.csv": "\ufeffsep=;\r\n" + semicolons,
        "title.csv": "Orders of 2011\n\n" + ORDERS,
        "comment.csv": "# exported 2011-03-01, by hand\n" + ORDERS,
    }

    for name, content in heads.items():
        assert read_log(csv_file(tmp_path, content, name)).to_pylist() == ROWS, name


def test_the_row_number_of_a_fault_does_not_count_the_lines_above_the_header(tmp_path):
    path = csv_file(tmp_path, "sep=,\n\n" + ORDERS + "1,2\n")

    with pytest.raises(LogError, match="data row 3: 2 cells, where the header has 3"):
        read_log(path)


@pytest.mark.slow
def test_a_torn_row_ends_the_reading_at_once_and_the_process_in_order(tmp_path):
    lines = [ORDERS, "1,2\n", "17,2011-01-31,1.00\n" * 1_600_000]  # 30 MB
    path = csv_file(tmp_path, "".join(lines))
    packed = csv_file(tmp_path, gzip.compress("".join(lines).encode(), 1), "orders.csv.gz")
    program = "import sys; from features.log.sources import read_log; read_log(sys.argv[1])"

    small = csv_file(tmp_path, "1,2,3\n1,2,3\n" + "1,2\n" * 500, "small.csv")

    for each in (path, path, packed, small, small):
        run = subprocess.run(
            [sys.executable, "-c", program, str(each)], capture_output=True, text=True, timeout=60
        )

        assert run.returncode == 1
        assert f"data row {2 if each == small else 3}: 2 cells" in run.stderr


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("orders.csv.zst", lambda text: pa.compress(text, "zstd", asbytes=True)),
        ("orders.csv.bz2", bz2.compress),
        ("orders.csv.gz", lambda text: gzip.compress(text[:30]) + gzip.compress(text[30:])),
        ("orders.txt", lambda text: text),
        ("orders.csv", lambda text: text.decode().encode("utf-16")),
        ("orders.tsv", lambda text: text.replace(b",", b"\t").decode().encode("utf-16")),
        ("orders.csv", lambda text: text.replace(b"\n", b"\r")),
    ],
)
def test_a_packed_or_recoded_csv_gives_the_same_rows(tmp_path, name, packed):
    assert read_log(csv_file(tmp_path, packed(ORDERS.encode()), name)).to_pylist() == ROWS


def test_a_zip_is_read_if_it_holds_one_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("export/orders.csv", ORDERS)
        archive.writestr("__MACOSX/export/._orders.csv", "x")
        archive.writestr("readme.md", "x")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", ORDERS)
        archive.writestr("b.csv", ORDERS)

    assert read_log(tmp_path / "orders.zip").to_pylist() == ROWS
    with pytest.raises(LogError, match=r"must hold one table; it holds a\.csv, b\.csv"):
        read_log(tmp_path / "two.zip")


def test_an_encoding_may_be_named(tmp_path):
    path = csv_file(tmp_path, "customer_id,amount\nMüller,1\n".encode("cp1252"))

    assert read_log(path, encoding="cp1252").to_pylist() == [{"customer_id": "Müller", "amount": "1"}]
    with pytest.raises(LogError, match="no encoding 'cp12'"):
        read_log(path, encoding="cp12")


def test_json_lines_keep_their_texts_and_numbers(tmp_path):
    path = csv_file(tmp_path, '{"customer_id": "007", "amount": 2.5}\n{"customer_id": "8"}\n', "o.jsonl")

    assert read_log(path).to_pylist() == [
        {"customer_id": "007", "amount": 2.5},
        {"customer_id": "8", "amount": None},
    ]


def test_sheets_of_one_header_are_one_log_and_others_are_refused(tmp_path):
    header = ["customer_id", "ordered_at", "amount"]
    years = workbook(
        tmp_path / "years.xlsx",
        **{"2011": [header, ["007", datetime(2011, 1, 31), 20.5]], "2012": [header, [17, "2012-01-01", 3]]},
    )
    mixed = workbook(tmp_path / "mixed.xlsx", orders=[header, [1, 2, 3]], people=[["name"], ["Ann"]])

    assert read_log(years).to_pylist() == [
        {"customer_id": "007", "ordered_at": "2011-01-31", "amount": 20.5},
        {"customer_id": "17", "ordered_at": "2012-01-01", "amount": 3.0},
    ]
    with pytest.raises(LogError, match="different columns: 'orders', 'people'"):
        read_log(mixed)
    assert read_table(mixed).to_dict("list") == {"customer_id": ["1"], "ordered_at": ["2"], "amount": ["3"]}


def test_hidden_sheets_are_left_out_and_several_that_are_read_are_told_with_their_rows(tmp_path):
    rows = [["customer_id", "ordered_at", "amount"], ["007", "2011-01-31", 20.5]]
    path = workbook(tmp_path / "a.xlsx", old=rows * 2, jan=rows, feb=[*rows, rows[1]], empty=[])
    book = openpyxl.load_workbook(path)
    book["old"].sheet_state = "hidden"
    book.save(path)

    raw = read_log(path)

    said = next(finding for finding in check(validate(raw), LogRules()) if finding.name == "sheets")
    assert (raw.num_rows, len(read_table(path)), said.fatal) == (3, 1, False)
    assert "its 2 sheets 'jan' (1), 'feb' (2) together" in said.message
    assert "Hidden sheets are left out: 'old' (3)" in said.message


def test_a_workbook_that_shows_an_empty_sheet_and_hides_a_full_one_is_refused(tmp_path):
    rows = [["customer_id", "ordered_at", "amount"], ["007", "2011-01-31", 20.5]]
    for shown in ([], rows[:1]):
        path = workbook(tmp_path / "a.xlsx", shown=shown, full=rows)
        book = openpyxl.load_workbook(path)
        book["full"].sheet_state = "hidden"
        book.save(path)

        with pytest.raises(LogError, match=r"shows no rows; its hidden sheets have some: 'full' \(1\)"):
            read_log(path)


@pytest.mark.parametrize(
    ("formats", "currency", "told"),
    [
        (["#,##0.00 [$€-407]", "General"], "€", False),
        (["#,##0.00 [$€-407]", '#,##0.00 "EUR"'], "EUR", False),
        (['_-* #,##0.00\\ "€"_-', '"$"#,##0.00'], None, True),
        (["0.00", "[$-409]0.00"], None, False),
    ],
)
def test_the_currency_of_a_workbook_is_that_of_its_formats(tmp_path, formats, currency, told):
    rows = [
        ["customer_id", "ordered_at", "amount"],
        *(["007", f"2011-01-{day:02}", 20.5] for day in range(1, 5)),
    ]
    path = workbook(tmp_path / "a.xlsx", orders=rows)
    book = openpyxl.load_workbook(path)
    for row in range(2, 6):
        book["orders"].cell(row, 3).number_format = formats[row % 2]
    book.save(path)

    log = validate(read_log(path))

    mixed = [finding for finding in check(log, LogRules()) if finding.name == "mixed-currencies"]
    assert (log.currency, [finding.fatal for finding in mixed]) == (currency, [True] if told else [])
    if told:
        assert "in 'amount' are formatted in 2 currencies" in mixed[0].message
        assert "€ (2), $ (2)" in mixed[0].message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [",", ";"])
def test_a_separator_at_the_end_of_all_rows_but_the_header_is_no_cell(tmp_path, mark, end):
    header, *rows = ORDERS.replace(",", mark).splitlines()
    path = csv_file(tmp_path, end.join([header, *(f"{row}{mark}" for row in rows), ""]).encode())

    assert (
        read_log(path).to_pylist() == read_log(csv_file(tmp_path, ORDERS.encode(), "plain.csv")).to_pylist()
    )
    path.write_text(end.join([header, f"{rows[0]}{mark}", rows[1], *rows, ""]))
    with pytest.raises(LogError, match="data row 1: 4 cells, where the header has 3"):
        read_log(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("orders.csv.gz", ORDERS.encode(), r"it is text that is not packed\. Rename it to orders\.csv"),
        (
            "orders.csv",
            b'{"customer_id": "7"}\n{"customer_id": "8"}\n',
            r"JSON lines\. Rename it to orders\.jsonl",
        ),
        (
            "orders.csv",
            ORDERS.encode() + b"\0" * 512,
            "ends in zero bytes, as one that was not written whole",
        ),
    ],
)
def test_a_file_that_is_another_or_half_written_is_named(tmp_path, name, content, says):
    with pytest.raises(LogError, match=says):
        read_log(csv_file(tmp_path, content, name))


def test_formulas_that_no_program_has_worked_out_are_refused(tmp_path):
    rows = [["customer_id", "ordered_at", "amount"], ["007", "2011-01-31", "=12.5*2"]]

    with pytest.raises(LogError, match=r"sheet 'orders': formulas, such as '=12\.5\*2', have no values yet"):
        read_log(workbook(tmp_path / "a.xlsx", orders=rows))


def test_titles_above_the_header_of_a_sheet_are_left_out_and_a_column_alone_has_none(tmp_path):
    titled = workbook(tmp_path / "titled.xlsx", s=[["Orders of 2011"], [], ["id", "amount"], ["007", 5]])
    alone = workbook(tmp_path / "alone.xlsx", s=[["customer_id"], ["007"], ["008"]])

    assert read_log(titled).to_pylist() == [{"id": "007", "amount": "5"}]
    assert read_table(alone).to_dict("list") == {"customer_id": ["007", "008"]}


def test_a_folder_or_a_pattern_of_csv_files_is_one_log(tmp_path):
    header, *lines = ORDERS.splitlines()
    (tmp_path / "parts").mkdir()
    for number, line in enumerate(lines):
        csv_file(tmp_path / "parts", f"{header}\n{line}\n", f"orders-{number}.csv")

    assert read_log(tmp_path / "parts").to_pylist() == ROWS
    assert read_log(f"{tmp_path}/parts/orders-*.csv").to_pylist() == ROWS
    with pytest.raises(LogError, match="No file matches"):
        read_log(f"{tmp_path}/parts/bills-*.csv")
    csv_file(tmp_path / "parts", "customer_id,total\n1,2\n", "orders-2.csv")
    with pytest.raises(LogError, match=r"orders-0\.csv and orders-2\.csv differ in the columns amount"):
        read_log(tmp_path / "parts")


def test_a_delta_folder_is_refused_for_it_holds_files_that_were_replaced(tmp_path):
    parquet_file(tmp_path / "log" / "part-0.parquet", id=["a"])
    (tmp_path / "log" / "_delta_log").mkdir()

    with pytest.raises(LogError, match="Delta Lake table.*deleted or replaced"):
        read_log(tmp_path / "log")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><table><tr><td>1", "a web page .HTML. or XML. Open it in a spreadsheet"),
        (gzip.compress(b"a,b", mtime=0), r"a gzip file. Rename it to orders\.csv\.gz"),
        (b'[{"customer_id": 1}]', "JSON. Write one object per line"),
        (b"PAR1xxxx", r"a Parquet file. Rename it to orders\.parquet"),
        (b"SQLite format 3\x00", "a SQLite database. Give it as sqlite:///"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    ],
)
def test_a_file_with_a_wrong_extension_is_named_for_what_it_is(tmp_path, content, what):
    with pytest.raises(LogError, match=f"not what its name says: it is {what}"):
        read_log(csv_file(tmp_path, content))


def test_a_workbook_called_csv_is_named_for_what_it_is(tmp_path):
    path = workbook(tmp_path / "orders.xlsx", orders=[["a"], [1]]).rename(tmp_path / "orders.csv")

    with pytest.raises(LogError, match=r"an Excel workbook. Rename it to orders\.xlsx"):
        read_log(path)


# --- Parquet


def test_parquet_keeps_its_types_and_reports_progress_by_chunk(tmp_path):
    times = pa.array([datetime(2011, 1, d, 12, tzinfo=UTC) for d in (1, 2, 3)], pa.timestamp("us", "UTC"))
    path = parquet_file(tmp_path / "orders.parquet", id=["007", "8", "9"], at=times, n=[1, 2, 3])
    seen = []

    log = read_log(path, chunk_rows=2, progress=lambda *step: seen.append(step))

    assert log.column("id").to_pylist() == ["007", "8", "9"]
    assert log.column("at").type == pa.timestamp("us", "UTC")
    assert [done for _, done, _ in seen] == [2, 3] and {total for *_, total in seen} == {3}


def test_views_as_some_programs_write_them_are_text(tmp_path):
    days = pa.array(["2011-01-31", "no day", "2011-02-01"], pa.string_view())
    ids = pa.array(["007", "8", None], pa.string_view())
    path = parquet_file(tmp_path / "orders.parquet", customer_id=ids, ordered_at=days, amount=[1, 2, 3])

    log = validate(read_log(path))

    assert log.table["customer_id"].to_pylist() == ["007"]
    assert log.report.quarantined == {"no customer": 1, "unreadable date": 1}


def test_the_year_9999_of_an_int96_is_in_the_future_and_not_1816(tmp_path):
    times = pa.array([datetime(2011, 1, 31), datetime(9999, 12, 31)], pa.timestamp("us"))
    table = pa.table({"customer_id": ["7", "8"], "ordered_at": times, "amount": [1, 2]})
    pq.write_table(table, tmp_path / "orders.parquet", use_deprecated_int96_timestamps=True)

    log = validate(read_log(tmp_path / "orders.parquet"))

    assert log.report.quarantined == {"date in the future": 1}


def test_a_column_name_may_hold_dots_and_spaces(tmp_path):
    path = parquet_file(tmp_path / "o.parquet", **{"Customer ID": ["1"], "a.b": [2]})

    assert read_log(path).to_pylist() == [{"Customer ID": "1", "a.b": 2}]


def test_a_folder_is_read_in_the_order_of_its_names_without_hidden_files(tmp_path):
    parquet_file(tmp_path / "log" / "part-2.parquet", id=["c"])
    parquet_file(tmp_path / "log" / "part-1.parquet", id=["a", "b"])
    parquet_file(tmp_path / "log" / "_temporary" / "part-0.parquet", id=["x"])
    csv_file(tmp_path / "log", "done", "_SUCCESS")

    assert read_log(tmp_path / "log").column("id").to_pylist() == ["a", "b", "c"]


def test_files_of_a_folder_may_differ_in_columns_and_widths(tmp_path):
    parquet_file(tmp_path / "log" / "1.parquet", id=pa.array([1], pa.int32()))
    parquet_file(tmp_path / "log" / "2.parquet", id=pa.array([2], pa.int64()), channel=["web"])

    assert read_log(tmp_path / "log").to_pylist() == [
        {"id": 1, "channel": None},
        {"id": 2, "channel": "web"},
    ]


def test_folders_named_after_a_value_become_a_column(tmp_path):
    parquet_file(tmp_path / "log" / "channel=shop" / "1.parquet", id=["a"])
    parquet_file(tmp_path / "log" / "channel=web" / "1.parquet", id=["b"])

    assert read_log(tmp_path / "log").to_pylist() == [
        {"id": "a", "channel": "shop"},
        {"id": "b", "channel": "web"},
    ]


def test_files_that_do_not_go_together_are_refused(tmp_path):
    parquet_file(tmp_path / "log" / "1.parquet", id=[1])
    parquet_file(tmp_path / "log" / "2.parquet", id=["a"])

    with pytest.raises(LogError, match="do not go together.*id"):
        read_log(tmp_path / "log")


def test_a_folder_without_tables_is_refused(tmp_path):
    csv_file(tmp_path, ORDERS, "orders.md")

    with pytest.raises(LogError, match=r"holds no \.parquet file"):
        read_log(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path, content):
    with pytest.raises(LogError, match=r"orders\.parquet is not a Parquet file, or is damaged"):
        read_log(csv_file(tmp_path, content, "orders.parquet"))


def test_a_parquet_file_without_rows_is_an_empty_log(tmp_path):
    with pytest.raises(EmptyLogError, match="but no rows"):
        read_log(parquet_file(tmp_path / "orders.parquet", id=pa.array([], pa.string())))


# --- SQLite


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    path = tmp_path / "shop 50%.db"
    database = sqlite3.connect(path)
    database.execute('CREATE TABLE "select" (customer_id, ordered_at TEXT, amount NUMERIC, note)')
    database.executemany(
        'INSERT INTO "select" VALUES (?, ?, ?, ?)',
        [("007", "2011-01-31", 20.5, "x"), (17, "2011-02-01 08:30:00", -3, None), (None, None, None, "y")],
    )
    database.execute('CREATE VIEW refunds AS SELECT * FROM "select" WHERE amount < 0')
    database.execute("CREATE TABLE empty (customer_id)")
    database.commit()
    database.close()
    return path


def test_a_sqlite_table_arrives_as_text_whatever_its_cells_hold(sqlite_path):
    log = read_log(f"sqlite:///{sqlite_path}?table=select").drop_columns("note")

    assert log.to_pylist() == [
        {"customer_id": "007", "ordered_at": "2011-01-31", "amount": "20.5"},
        {"customer_id": "17", "ordered_at": "2011-02-01 08:30:00", "amount": "-3"},
        {"customer_id": None, "ordered_at": None, "amount": None},
    ]


def test_a_view_and_a_query_of_sqlite_are_read_too(sqlite_path):
    query = "SELECT customer_id FROM \"select\" WHERE ordered_at LIKE '2011%25' ORDER BY 1 + 0 DESC"

    assert read_log(f"sqlite:///{sqlite_path}?table=refunds").num_rows == 1
    assert read_log(f"sqlite:///{sqlite_path}?query={query}").num_rows == 2


@pytest.mark.parametrize(
    "query",
    [
        "VACUUM INTO '{folder}/copy.db'",
        "ATTACH '{folder}/new.db' AS other",
        "ATTACH 'file:{folder}/new.db?mode=rwc' AS other",
        "PRAGMA writable_schema = 1",
        "PRAGMA table_list",
        "CREATE TEMP TABLE t AS SELECT 1",
        'DELETE FROM "select"',
        'DELETE FROM "select" RETURNING *',
        "SELECT load_extension('{folder}/x.so')",
        "SELECT 1; ATTACH '{folder}/new.db' AS other",
        'WITH x AS (SELECT 1) DELETE FROM "select"',
    ],
)
def test_a_query_of_sqlite_reads_and_does_nothing_else(sqlite_path, query):
    before = sqlite_path.read_bytes()

    with pytest.raises(LogError, match="is not one SELECT|is not a SELECT"):
        read_log(f"sqlite:///{sqlite_path}?query={query.format(folder=sqlite_path.parent)}")

    assert sqlite_path.read_bytes() == before
    assert list(sqlite_path.parent.iterdir()) == [sqlite_path]


def test_a_missing_sqlite_file_is_not_created(sqlite_path):
    with pytest.raises(LogError, match=r"no SQLite file .*shop 5\.db\. Did you mean shop 50%\.db\?"):
        read_log(f"sqlite:///{sqlite_path.parent}/shop 5.db?table=orders")
    assert not (sqlite_path.parent / "shop 5.db").exists()


def test_a_database_without_such_a_table_lists_those_it_has(sqlite_path):
    with pytest.raises(
        LogError, match=r"no table refund in .*Did you mean refunds\?.*empty, refunds, select"
    ):
        read_log(f"sqlite:///{sqlite_path}?table=refund")
    with pytest.raises(LogError, match=r"Say which table .* add \?table=NAME\. Its tables: empty, refunds"):
        read_log(f"sqlite:///{sqlite_path}")


def test_an_empty_table_and_a_file_that_is_no_database_are_refused(sqlite_path):
    with pytest.raises(EmptyLogError, match="table empty of sqlite.* but no rows"):
        read_log(f"sqlite:///{sqlite_path}?table=empty")
    with pytest.raises(LogError, match="file is not a database"):
        read_log(f"sqlite:///{csv_file(sqlite_path.parent, ORDERS * 50)}?table=orders")


# --- PostgreSQL


@pytest.fixture(scope="module")
def shop(postgres_uri: str) -> Iterator[str]:
    """A shop's database: orders in two schemas, one table of them named with capitals and a quote."""
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(
            '''
            CREATE TABLE orders (
                customer_id text, ordered_at timestamptz, day date, shown timestamp,
                amount numeric, price float8, note text);
            INSERT INTO orders VALUES
                ('007', '2011-01-31 23:30:00+03:30', '2011-01-31', '2011-01-31 23:30:00.25',
                 12345678901234567890.12, 0.1, 'x'),
                ('آرش', '2011-02-01 00:00:00+00', '2011-02-01', '2011-02-01', -3.10, -3.1, '100%');
            CREATE SCHEMA sales;
            CREATE TABLE sales."Order ""lines""" (id int);
            INSERT INTO sales."Order ""lines""" SELECT generate_series(1, 2500);
            CREATE VIEW refunds AS SELECT customer_id FROM orders WHERE amount < 0;
            CREATE TABLE odd (customer_id bigint, day date, ordered_at timestamptz, amount numeric);
            INSERT INTO odd VALUES (1, '2011-01-31', '2011-01-31 12:00+00', 'NaN'),
                (2, 'infinity', 'infinity', 2), (3, '0044-03-15 BC', '2011-02-01 12:00+00', 3);
            '''
        )
    yield postgres_uri


def test_a_postgresql_table_keeps_zeros_digits_and_time_zones(shop):
    log = read_log(f"{shop}?table=orders")

    assert log.column("customer_id").to_pylist() == ["007", "آرش"]
    assert [Decimal(a) for a in log.column("amount").to_pylist()] == [
        Decimal("12345678901234567890.12"),
        Decimal("-3.10"),
    ]
    assert log.column("price").to_pylist() == ["0.1", "-3.1"]
    # 23:30 in Tehran (+3:30) is 20:00 in UTC.
    assert log.column("ordered_at").to_pylist() == [
        datetime(2011, 1, 31, 20, tzinfo=UTC),
        datetime(2011, 2, 1, tzinfo=UTC),
    ]
    assert log.column("day").to_pylist() == [date(2011, 1, 31), date(2011, 2, 1)]
    assert log.column("shown").to_pylist()[0] == datetime(2011, 1, 31, 23, 30, 0, 250_000)


def test_a_postgresql_log_is_validated_as_any_other(shop):
    log = validate(read_log(f"{shop}?query=SELECT customer_id, ordered_at, price AS amount FROM orders"))

    # Ten cents on the last day of January, a refund of 3.10 on the first of February.
    assert log.table.column("amount_cents").to_pylist() == [10, -310]
    assert log.table.column("ordered_on").to_pylist() == [date(2011, 1, 31), date(2011, 2, 1)]


def test_dates_that_no_calendar_holds_arrive_as_rows_for_the_quarantine(shop):
    raw = read_log(f"{shop}?table=odd")
    log = validate(raw)

    assert raw.column("day").to_pylist() == ["2011-01-31", "infinity", "0044-03-15 BC"]
    assert log.report.rows_in == 3 and log.report.rows_used == 1  # row 1 has no amount, row 2 no date


def test_a_table_of_another_schema_is_found_by_its_quoted_name_and_read_in_chunks(shop):
    seen = []

    log = read_log(
        f'{shop}?table=sales.Order "lines"', chunk_rows=1000, progress=lambda *step: seen.append(step)
    )

    assert log.column("id").to_pylist() == [str(i) for i in range(1, 2501)]
    assert [done for _, done, _ in seen] == [1000, 2000, 2500]


def test_a_name_that_carries_sql_is_only_a_name(shop):
    with pytest.raises(LogError, match="There is no table orders; DROP TABLE orders"):
        read_log(f"{shop}?table=orders; DROP TABLE orders")
    assert read_log(f"{shop}?table=orders").num_rows == 2


def test_a_query_may_hold_casts_colons_percent_signs_and_a_semicolon(shop):
    query = "SELECT customer_id, ':x' || amount::int %25 2 AS y FROM orders WHERE note LIKE '100\\%25' ;"

    log = read_log(f"{shop}?query={query}")

    assert log["y"].to_pylist() == [":x-1"]


def test_a_view_is_read(shop):
    assert read_log(f"{shop}?table=refunds").to_pylist() == [{"customer_id": "آرش"}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders RETURNING *",
        "SELECT nextval('counter')",
        "SELECT 1; COMMIT; DROP TABLE orders",
        "COPY orders TO STDOUT",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELEC 1",
    ],
)
def test_a_query_that_writes_or_is_no_select_changes_nothing(shop, query):
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS counter")

    with pytest.raises(LogError, match="Cannot read the query to postgresql"):
        read_log(f"{shop}?query={query}")
    assert read_log(f"{shop}?table=orders").num_rows == 2


def test_a_missing_table_lists_those_of_every_schema(shop):
    with pytest.raises(
        LogError, match=r"Did you mean orders\? Its tables: odd, orders, refunds, sales\.Order"
    ):
        read_log(f"{shop}?table=order")


def test_two_result_columns_of_one_name_are_refused(shop):
    with pytest.raises(LogError, match="more than one column 'amount'"):
        read_log(f"{shop}?query=SELECT 1 AS amount, 2 AS amount")


# --- URIs


@pytest.mark.parametrize(
    "spoil",
    [
        lambda uri: uri.replace("open%40sesame", "0pen%40secret"),  # a wrong password
        lambda uri: uri.rpartition(":")[0] + ":1/postgres",  # nobody listens on port 1
        lambda uri: uri.replace("/postgres", "/no_such_database"),
        lambda uri: uri.replace("stayworth:open%40sesame@", "") + "?user=stayworth&password=secret-2",
        lambda uri: uri.replace("%40", "@"),  # the caller forgot to encode it
        lambda uri: uri.replace("127.0.0.1:", "open%40sesame:no"),
        lambda uri: f"{uri}?query=SELECT 'open@sesame'::int",
        lambda uri: f"{uri}?table=nowhere",
        lambda uri: f"{uri}?query=SELECT 1&table=orders%ff",
    ],
)
def test_no_message_or_traceback_shows_a_password(shop, spoil):
    uri = spoil(shop)

    with pytest.raises(LogError) as caught:
        read_log(uri if "?" in uri else f"{uri}?table=orders")

    shown = "".join(traceback.format_exception(caught.value))
    assert not any(secret in shown for secret in ("sesame", "secret", "0pen"))


def test_a_refused_connection_says_where_and_what_to_check():
    message = r"Cannot connect to postgresql://me:\*\*\*@127\.0\.0\.1:1/shop: .*[Rr]efused.*Check that"

    with pytest.raises(LogError, match=message):
        read_log("postgresql://me:secret@127.0.0.1:1/shop?table=orders")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("oracle://me:secret@host/shop?table=orders", "driver of oracle:// addresses is not installed"),
        ("bigquery://project/shop?table=orders", "pip install sqlalchemy-bigquery"),
        ("snowflake://me:secret@account/shop?query=DELETE FROM orders", "begins with SELECT or WITH"),
        ("s3://bucket/orders.parquet", "not read from s3://"),
        ("postgresql://me:p@ss@host/shop?table=orders", "write @ as %40"),
        ("postgresql://me:secret@host:port/shop?table=orders", "cannot be read"),
        ("postgresql://me:secret@host?table=orders", "cannot be read"),
        ("sqlite://?table=orders", "cannot be read"),
        ("sqlite:///a.db?table=x&table=y", "more than one table"),
        ("sqlite:///a.db?table=x&query=SELECT 1", "more than one table"),
    ],
)
def test_a_uri_that_cannot_be_used_says_how_to_write_one(uri, message):
    with pytest.raises(LogError, match=message) as caught:
        read_log(uri)
    assert "secret" not in str(caught.value)


def test_a_text_that_is_called_parquet_is_named_for_what_it_is(tmp_path):
    with pytest.raises(LogError, match=r"it is text. If it is a table, rename it to orders\.csv\."):
        read_log(csv_file(tmp_path, ORDERS, "orders.parquet"))


def test_a_table_without_a_header_is_told_to_have_one(tmp_path):
    headless = read_log(csv_file(tmp_path, ORDERS.partition("\n")[2]))

    with pytest.raises(LogError, match="write a header above it, such as customer_id,ordered_at,amount"):
        validate(headless)


def test_a_folder_with_tables_of_another_kind_is_refused_and_names_them(tmp_path):
    for name in ("orders.csv", "README.txt", "notes.md", "_SUCCESS", ".orders.xlsx"):
        csv_file(tmp_path, ORDERS, name)
    assert read_log(tmp_path).to_pylist() == ROWS

    for name in ("a.xlsx", "b.jsonl", "c.txt"):
        csv_file(tmp_path, ORDERS, name)

    with pytest.raises(
        LogError, match=r"two kinds: orders\.csv and a\.xlsx, b\.jsonl, c\.txt\. Give one kind"
    ):
        read_log(tmp_path)


def test_numbers_of_a_workbook_are_read_as_they_are_and_only_its_texts_by_a_style(tmp_path):
    header = ["customer_id", "ordered_at", "amount"]
    numbers = workbook(tmp_path / "a.xlsx", s=[header, ["1", "2024-01-05", 1.125], ["2", "2024-01-05", 1500]])
    mixed = workbook(
        tmp_path / "b.xlsx", s=[header, ["1", "2024-01-05", 1.125], ["2", "2024-01-05", "1.500,50"]]
    )
    german = LogRules(decimal=",", thousands=".")

    assert validate(read_log(numbers), german).table["amount_cents"].to_pylist() == [113, 150000]
    assert validate(read_log(mixed), german).table["amount_cents"].to_pylist() == [113, 150050]


def test_long_ids_that_a_workbook_keeps_as_floats_stop_the_reading(tmp_path):
    rows = [[float(12345678901234567 + 1000 * n), "2024-01-05", 5] for n in range(3)]
    path = workbook(tmp_path / "a.xlsx", s=[["customer_id", "ordered_at", "amount"], *rows])

    log = validate(read_log(path))

    assert ("scientific-ids", True) in [(finding.name, finding.fatal) for finding in check(log, LogRules())]


def test_an_empty_condition_is_refused():
    with pytest.raises(ValueError, match="it is empty; write a condition"):
        LogSettings(transactions="orders.csv", where=" ")


def test_a_table_and_a_query_of_mariadb_are_read_in_chunks_and_keep_zeros_digits_and_letters(mariadb_uri):
    columns = "customer_id VARCHAR(20), ordered_at DATETIME, amount DECIMAL(12, 2), note TEXT"
    rows = "('007', '2024-01-05 23:30:00', 20.50, '50%: آرش'), ('008', '2024-02-01 00:00:00', -3.10, NULL)"
    engine = sa.create_engine(mariadb_uri.replace("mariadb://", "mariadb+pymysql://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE OR REPLACE TABLE orders ({columns}) CHARACTER SET utf8mb4")
        connection.exec_driver_sql(f"INSERT INTO orders VALUES {rows}".replace("%", "%%"))
    engine.dispose()
    query = "SELECT customer_id, ordered_at, amount FROM orders WHERE ordered_at >= '2024-02-01'"

    table = read_log(f"{mariadb_uri}?table=orders", chunk_rows=1)
    chosen = read_log(f"{mariadb_uri}?query={query}")

    assert table.to_pylist()[0] == {
        "customer_id": "007",
        "ordered_at": "2024-01-05 23:30:00",
        "amount": "20.50",
        "note": "50%: آرش",
    }
    assert chosen.to_pylist() == [
        {"customer_id": "008", "ordered_at": "2024-02-01 00:00:00", "amount": "-3.10"}
    ]
    assert validate(table).table["amount_cents"].to_pylist() == [2050, -310]
    for wrong, message in (
        ("?query=DELETE FROM orders", "(?i)read.only"),
        ("?table=order", "Did you mean orders"),
        ("x?table=orders", r"Cannot connect to mariadb://crm:\*\*\*@"),
    ):
        with pytest.raises(LogError, match=message) as caught:
            read_log(mariadb_uri + wrong)
        assert "sesame" not in str(caught.value)
    assert read_log(f"{mariadb_uri}?table=orders").num_rows == 2


def test_rows_that_a_filter_hides_are_read_and_counted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [
        ["customer_id", "ordered_at", "amount"],
        *([str(n), "1998-01-05", 20.5] for n in range(1, 9)),
    ]:
        book.active.append(row)
    for number in (3, 4, 8, 40):  # one of them is below the orders
        book.active.row_dimensions[number].hidden = True
    book.save(tmp_path / "orders.xlsx")

    log = validate(read_log(tmp_path / "orders.xlsx"))
    (found,) = [each for each in check(log, LogRules()) if each.name == "hidden-rows"]

    assert (log.table.num_rows, found.fatal) == (8, False)
    assert found.message.startswith("3 rows of orders.xlsx are hidden, by a filter or by hand")
    assert read_table(tmp_path / "orders.xlsx").attrs["remarks"] == [found.message]
