"""A log that comes in parts: the new orders of each night, or a month that was exported again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from features.commands.log import open_log
from features.errors import LogError
from features.log.parts import LogParts
from features.log.settings import Columns, LogSettings
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.feature_table import build_feature_table

HEADER = "customer_id,ordered_at,amount\n"


def opened(folder: Path, name: str, text: str) -> TransactionLog:
    (folder / name).write_text(HEADER + text)
    log = LogSettings(transactions=str(folder / name), parts=folder / "parts")
    return open_log(log, Columns(), lambda *_: None)


def cents(log: TransactionLog) -> list[int]:
    return log.table["amount_cents"].to_pylist()


ORDERS = st.tuples(
    st.sampled_from(["007", "8", "آرش"]),
    st.integers(0, 200),
    st.integers(-3_000, 9_000),  # refunds too
    st.integers(0, 4),  # the night on which the shop hears of it: late, for most
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(ORDERS, min_size=1, max_size=25))
def test_features_of_parts_are_those_of_the_whole_whatever_comes_late(
    orders: list[tuple[str, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [
        {
            "customer_id": customer,
            "ordered_at": str(date(2024, 1, 1) + timedelta(days=day)),
            "amount": f"{amount / 100:.2f}",
            "night": night,
        }
        for customer, day, amount, night in [*orders, ("8", 0, 100, 0)]
    ]
    folder = tmp_path_factory.mktemp("parts")
    schema = pa.schema([(name, pa.string()) for name in ("customer_id", "ordered_at", "amount")])

    for night in range(5):
        parts = LogParts(folder, f"night-{night}.csv")
        tonight = [{name: row[name] for name in schema.names} for row in rows if row["night"] == night]
        joined = parts.joined(pa.Table.from_pylist(tonight, schema=schema))
        parts.keep()

    snapshots = [Snapshot(date(2024, 3, 1)), Snapshot(date(2024, 8, 1))]
    whole = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
    assert build_feature_table(validate(joined), snapshots).equals(
        build_feature_table(validate(whole), snapshots)
    )


def test_a_file_of_a_new_name_is_added_and_one_of_a_known_name_takes_its_place(tmp_path: Path) -> None:
    first = opened(tmp_path, "2024-05.csv", "1,2024-05-01,5\n2,2024-05-02,6\n")
    second = opened(tmp_path, "2024-06.csv", "1,2024-06-01,7\n")
    again = opened(tmp_path, "2024-05.csv", "1,2024-05-01,5\n2,2024-05-02,6\n1,2024-05-30,-5\n")
    quiet = opened(tmp_path, "2024-07.csv", "")

    assert [cents(log) for log in (first, second)] == [[500, 600], [500, 600, 700]]
    assert cents(again) == cents(quiet) == [500, 600, -500, 700]
    assert again.report.rows_in == 4


def test_what_cannot_be_used_is_not_kept(tmp_path: Path) -> None:
    opened(tmp_path, "2024-05.csv", "1,2024-05-01,5\n")

    with pytest.raises(LogError):
        opened(tmp_path, "2024-06.csv", "".join(f"{n},no date,5\n" for n in range(30)))
    (tmp_path / "2024-07.csv").write_text("customer_id,ordered_at,amount,town\n1,2024-07-01,5,Yazd\n")
    with pytest.raises(LogError, match="tonight's rows differ in the columns town"):
        open_log(
            LogSettings(transactions=str(tmp_path / "2024-07.csv"), parts=tmp_path / "parts"),
            Columns(),
            lambda *_: None,
        )

    assert len(list((tmp_path / "parts").iterdir())) == 1
    assert cents(opened(tmp_path, "2024-06.csv", "1,2024-06-01,7\n")) == [500, 700]


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    opened(tmp_path, "2024-05.csv", "1,2024-05-01,5\n")
    part = next((tmp_path / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:50])

    with pytest.raises(LogError, match=r"The part .*2024-05.csv-\w+.part.parquet cannot be read"):
        opened(tmp_path, "2024-06.csv", "1,2024-06-01,7\n")
