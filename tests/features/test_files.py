"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from features.errors import OutputError
from features.files import atomic_path
from features.table_files import write_csv


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
        from features import table_files
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        frame = pd.DataFrame({"amount": [random.random() for _ in range(10_000)]})
        getattr(table_files, sys.argv[2])(frame, sys.argv[1])
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
