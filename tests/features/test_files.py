"""Files appear whole or not at all, and no cell of them is run by a spreadsheet."""

from __future__ import annotations

import csv
import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from features.documents import read_toml
from features.errors import OutputError, StayworthError
from features.files import atomic_path, write_csv, write_parquet, writer_for
from features.log.sources import read_table
from features.spreadsheet_cells import bare_cells, safe_cells


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A list written yesterday."""
    path = tmp_path / "list.csv"
    path.write_text("yesterday")
    return path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop root's right to write anywhere, if the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def run(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_finished_file_replaces_the_old_one_and_leaves_nothing_beside_it(old: Path) -> None:
    with atomic_path(old) as beside:
        beside.write_text("today")
        assert old.read_text() == "yesterday"

    assert old.read_text() == "today"
    assert os.listdir(old.parent) == ["list.csv"]


def test_a_failure_in_the_middle_leaves_the_old_file_intact(old: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_path(old) as beside:
        beside.write_text("half of to")
        raise ZeroDivisionError

    assert old.read_text() == "yesterday"
    assert os.listdir(old.parent) == ["list.csv"]


def test_a_full_disk_is_said_and_leaves_the_old_file_intact(old: Path) -> None:
    with pytest.raises(OutputError, match=r"list.csv: the disk is full"), atomic_path(old) as beside:
        beside.write_text("half of to")
        with open("/dev/full", "w") as full:  # the kernel's own ENOSPC
            full.write("day")

    assert old.read_text() == "yesterday"
    assert os.listdir(old.parent) == ["list.csv"]


@pytest.mark.parametrize("writer", ["write_csv", "write_parquet"])
def test_a_write_cut_off_by_the_system_leaves_the_old_file_intact(old: Path, writer: str) -> None:
    # A limit on file sizes cuts a real write short in the middle, as a full disk does.
    cut = run(
        """
        import random, resource, sys
        import pandas as pd
        from features import files
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        frame = pd.DataFrame({"amount": [random.random() for _ in range(10_000)]})
        getattr(files, sys.argv[2])(frame, sys.argv[1])
        """,
        old,
        writer,
    )
    _, complaint = cut.communicate(timeout=60)

    assert cut.returncode != 0
    assert f"OutputError: Cannot write {old}: " in complaint
    assert os.strerror(errno.EFBIG) in complaint
    assert old.read_text() == "yesterday"
    assert os.listdir(old.parent) == ["list.csv"]


def test_a_killed_process_leaves_the_old_file_intact(old: Path) -> None:
    writing = run(
        """
        import sys, time
        from features.files import atomic_path
        with atomic_path(sys.argv[1]) as beside:
            beside.write_text("half of to")
            print("half way", flush=True)
            time.sleep(60)
        """,
        old,
    )
    assert writing.stdout is not None
    assert writing.stdout.readline() == "half way\n"
    writing.send_signal(signal.SIGKILL)
    writing.communicate(timeout=60)

    assert old.read_text() == "yesterday"
    assert len(os.listdir(old.parent)) == 2
    with atomic_path(old) as beside:  # what the killed process left is removed
        beside.write_text("today")
    assert old.read_text() == "today"
    assert os.listdir(old.parent) == ["list.csv"]


def test_what_a_running_process_writes_is_left_alone(old: Path) -> None:
    with atomic_path(old) as first, atomic_path(old) as second:
        first.write_text("first")
        second.write_text("second")
        with atomic_path(old) as third:
            third.write_text("third")

    assert old.read_text() == "first"


@pytest.mark.parametrize("writer", [write_csv, write_parquet])
def test_a_new_table_is_for_its_owner_alone_and_a_replaced_one_keeps_its_mode(
    tmp_path: Path, writer: Callable[..., None]
) -> None:
    table = pa.table({"customer_id": ["17"]})

    writer(table, tmp_path / "new")
    writer(table, tmp_path / "shared")
    (tmp_path / "shared").chmod(0o640)
    writer(table, tmp_path / "shared")

    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "shared")]
    assert modes == [0o600, 0o640]


def test_an_interrupted_process_leaves_nothing_behind(old: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_path(old) as beside:
        beside.write_text("half of to")
        raise KeyboardInterrupt

    assert os.listdir(old.parent) == ["list.csv"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"the folder .*/no/such does not exist"):
        write_csv(pd.DataFrame({"x": [1]}), tmp_path / "no" / "such" / "list.csv")


def test_a_folder_without_permission_is_named() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        old = Path(folder, "list.csv")
        old.write_text("yesterday")
        os.chmod(folder, 0o555)

        with as_nobody(), pytest.raises(OutputError, match=f"list.csv: no permission to write in {folder}"):
            write_csv(pd.DataFrame({"x": [1]}), old)

        os.chmod(folder, 0o755)
        assert old.read_text() == "yesterday"


def test_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        write_csv(pd.DataFrame({"x": [1]}), tmp_path)
    with pytest.raises(OutputError, match="a device or a pipe"):
        write_csv(pd.DataFrame({"x": [1]}), "/dev/null")
    assert not Path("/dev/null").is_file()


def test_the_old_files_permissions_and_a_link_to_it_stay(old: Path) -> None:
    old.chmod(0o640)
    link = old.parent / "newest.csv"
    link.symlink_to(old)

    with atomic_path(link) as beside:
        beside.write_text("today")

    assert link.is_symlink()
    assert old.read_text() == "today"
    assert old.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", "-", "+A1"])
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == ["'" + text]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("Ann;=1+1", "Ann;'=1+1"),
        ('Ann; "=1+1"', 'Ann; "\'=1+1"'),
        ("Ann\n@SUM(A1)", "Ann\n'@SUM(A1)"),
        ("a;-1;+1", "a;'-1;'+1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_no_cell_within_a_text_is_run_by_a_spreadsheet_that_separates_by_semicolons(
    text: str, guarded: str
) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == [guarded]


@pytest.mark.parametrize("text", ["-17", "+989121234567", "-0.5", "0042", "", "a=1", "'tis", "آرش"])
def test_a_plain_number_or_harmless_text_stays_as_it_is(text: str) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == [text]


@given(st.lists(st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝0.1,;\"x "), max_size=6)))
def test_every_text_survives_guarding_to_the_letter(texts: list[str]) -> None:
    cells = pa.array(texts, pa.string())

    assert bare_cells(safe_cells(cells)).to_pylist() == texts


def test_a_csv_has_guarded_texts_and_names_and_untouched_numbers(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"

    write_csv(pd.DataFrame({"=name": ["=1+1", 'a,"b"\nc'], "amount": [-0.1, 1e-9]}), path)

    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["'=name", "amount"], ["'=1+1", "-0.1"], ['a,"b"\nc', "1e-9"]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_float_reads_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "floats.csv"

    write_csv(pd.DataFrame({"value": values}), path)

    assert [float(line) for line in path.read_text().splitlines()[1:]] == values


def test_dates_are_iso_and_lists_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["1998-07-01", None]), "reasons": [["late", "few orders"], []]}
    )

    write_csv(frame, path)

    assert path.read_text().splitlines() == ['"day","reasons"', '1998-07-01,"late; few orders"', ',""']


def test_a_byte_order_mark_is_written_for_excel_only(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["آرش"]})

    write_csv(frame, tmp_path / "plain.csv")
    write_csv(frame, tmp_path / "excel.csv", excel=True)

    assert (tmp_path / "plain.csv").read_bytes() == '"name"\n"آرش"\n'.encode()
    assert (tmp_path / "excel.csv").read_bytes() == b"\xef\xbb\xbf" + '"name"\n"آرش"\n'.encode()


def test_parquet_keeps_lists_and_stores_dates_as_dates(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["1998-07-01"]), "reasons": [["late", "few orders"]]})

    write_parquet(frame, tmp_path / "list.parquet")

    table = pq.read_table(tmp_path / "list.parquet")
    assert table.schema.field("day").type == pa.date32()
    assert table.column("reasons").to_pylist() == [["late", "few orders"]]


def test_a_file_of_settings_may_begin_with_the_mark_of_windows(tmp_path):
    path = tmp_path / "offers.toml"
    path.write_bytes("\ufeffa = 1\n".encode())

    assert read_toml(path) == {"a": 1}


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_tables_one_after_the_other_are_one_file(tmp_path: Path, name: str) -> None:
    table = pa.table({"customer_id": [f"={number}" for number in range(40)], "value": np.arange(40) / 7})
    write = writer_for(name)

    write(table, tmp_path / name)
    write((table.slice(start, 9) for start in range(0, 40, 9)), tmp_path / f"parts-{name}")

    whole, parts = (read_table(tmp_path / each) for each in (name, f"parts-{name}"))
    assert parts.equals(whole)
    assert len(whole) == 40


def test_an_error_while_tables_are_made_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    write_parquet(pa.table({"x": [1]}), path)

    def tables() -> Iterator[pa.Table]:
        yield pa.table({"x": [2]})
        raise StayworthError("no more")

    with pytest.raises(StayworthError, match="no more"):
        write_parquet(tables(), path)

    assert read_table(path)["x"].to_list() == [1]
    assert [each.name for each in tmp_path.iterdir()] == ["list.parquet"]
