"""Features of behaviour beyond orders: what is known at a snapshot, by hand, and that the future changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.behaviour.attributes import Attributes
from features.behaviour.files import BehaviourFiles
from features.economics.receivables import Receivables
from features.economics.surveys import Surveys
from features.economics.touches import Touches
from features.errors import StayworthError
from features.log.validation import validate
from features.snapshot import Snapshot

MAY = Snapshot(date(2024, 5, 1))
CUSTOMERS = np.array(["anna", "ben", "cleo"], dtype=object)

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return file


def of(files: BehaviourFiles, name: str, snapshot: Snapshot = MAY) -> list[float | None]:
    """The column of anna, ben and cleo, None for NaN."""
    values = files.columns(snapshot, CUSTOMERS)[name].tolist()
    return [None if value != value else value for value in values]


TOUCHPOINTS = """customer_id,occurred_at,touchpoint,quantity,outcome,sentiment
anna,2024-04-20,call,2,,-0.5
anna,2024-02-01,call,1,,
anna,2024-01-31,call,1,,0.25
anna,2024-04-30,Complaint,1,,-1
ben,2024-03-01,newsletter,1,responded,
ben,2024-01-01,newsletter,1,,
ben,2024-04-15,newsletter,1,responded,
ben,2024-05-01,Complaint,1,,-1
"""


def test_touches_before_the_snapshot_are_counted(write: Write) -> None:
    touches = Touches.read(write("touchpoints.csv", TOUCHPOINTS))

    files = BehaviourFiles(touches, kinds={"newsletter": "send"})

    assert of(files, "contacts_90d") == [3, 0, 0]  # 1 February is 90 days before, 31 January is not
    assert of(files, "complaints_90d") == [1, 0, 0]  # that of 1 May is not known yet
    assert of(files, "days_since_contact") == [11, None, None]
    assert of(files, "days_since_complaint") == [1, None, None]
    assert of(files, "response_rate_365d") == [None, 0.5, None]  # that of 15 April may still be answered
    assert of(files, "mean_sentiment_365d") == [pytest.approx((-0.5 + 0.25 - 1) / 3), None, None]


def test_the_last_answer_before_the_snapshot_counts(write: Write) -> None:
    answers = """customer_id,answered_at,kind,score
anna,2024-03-01,nps,9
anna,2024-04-01,nps,3
anna,2024-04-01,nps,8
anna,2024-05-01,nps,10
ben,2023-01-01,csat,4
ben,,nps,
"""

    files = BehaviourFiles(surveys=Surveys.read(write("surveys.csv", answers)))

    assert of(files, "last_nps") == [3, None, None]  # of two answers of a day the lowest
    assert of(files, "last_csat") == [None, 4, None]


def test_what_is_odd_in_a_file_is_said_wherever_it_is_read(write: Write) -> None:
    log = validate(
        pa.table(
            {"customer_id": ["anna"], "ordered_at": ["2024-01-05"], "amount": ["5"], "currency": ["EUR"]}
        )
    )
    answers = "customer_id,answered_at,kind,score\n" + "anna,2024-03-01,nps,5\n" * 30
    invoices = "customer_id,issued_at,due_at,amount,currency\nanna,2024-03-01,2024-04-01,100,USD\n"
    surveys = BehaviourFiles(surveys=Surveys.read(write("surveys.csv", answers)))
    debts = BehaviourFiles(receivables=Receivables.read(write("receivables.csv", invoices)))

    [said] = surveys.notes(log)

    assert "none of 30 answers to nps is above 5" in said
    with pytest.raises(StayworthError, match="file of receivables are in USD, those of the log in EUR"):
        list(debts.notes(log))


def test_debt_is_what_was_open_and_due_at_the_snapshot(write: Write) -> None:
    invoices = """customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at
anna,2024-03-01,2024-04-01,100,2024-05-02,,
anna,2024-03-01,2024-04-11,50,2024-04-30,20,
anna,2024-04-01,2024-05-01,70,,,
ben,2024-01-01,2024-02-01,80,2024-03-01,,
cleo,2024-01-01,2024-02-01,90,,,2024-04-30
"""

    files = BehaviourFiles(receivables=Receivables.read(write("receivables.csv", invoices)))

    assert of(files, "overdue_debt") == [130, 0, 0]  # 100 + 50 - 20; 70 are not due before 1 May
    assert of(files, "days_overdue") == [30, 0, 0]


def test_an_attribute_is_that_of_the_row_valid_at_the_snapshot(write: Write) -> None:
    path = write(
        "attributes.csv",
        "customer_id,valid_from,region,Plan €\nanna,,north,a\nanna,2024-05-01,south,b\nben,2024-04-30,west,\n",
    )

    files = BehaviourFiles(attributes=Attributes.read(path))

    assert files.names == ("attribute_region", "attribute_Plan €")
    assert of(files, "attribute_region") == ["north", "west", None]
    assert of(files, "attribute_region", Snapshot(date(2024, 5, 2))) == ["south", "west", None]
    assert of(files, "attribute_Plan €") == ["a", None, None]


def test_a_file_tells_nothing_of_a_time_before_its_first_row_but_the_rows_of_a_request_are_all(
    write: Write,
) -> None:
    touches = Touches.read(write("touchpoints.csv", TOUCHPOINTS))
    early = Snapshot(date(2023, 12, 1))

    assert of(BehaviourFiles(touches), "complaints_90d", early) == [None, None, None]
    assert of(BehaviourFiles(touches, whole=True), "complaints_90d", early) == [0, 0, 0]
    assert of(BehaviourFiles(Touches.none(), whole=True), "complaints_90d") == [0, 0, 0]


def test_the_future_changes_no_bit_of_any_feature(write: Write) -> None:
    # given: a year and a half of rows of 40 customers, and the same with everything from the snapshot on changed
    rng = np.random.default_rng(5)
    n, people = 2_000, np.array([f"c{number:02d}" for number in range(40)])
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 600, n), "D")
    dates = days.strftime("%Y-%m-%d")
    later = (days + pd.to_timedelta(rng.integers(0, 60, n), "D")).strftime("%Y-%m-%d")
    paid = (days + pd.to_timedelta(rng.integers(0, 200, n), "D")).strftime("%Y-%m-%d")
    is_past = dates < str(MAY.date)
    who = rng.choice(people, n)

    def files(seed: int | None) -> BehaviourFiles:
        other = np.random.default_rng(seed)
        moved = np.zeros(n, bool) if seed is None else ~is_past

        def mixed(values: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
            hidden = moved if known is None or seed is None else ~known
            return np.where(hidden, other.permutation(values), values)

        touches = {
            "customer_id": mixed(who),
            "occurred_at": dates,
            "touchpoint": mixed(np.array(["call", "complaint", "letter"])[np.arange(n) % 3]),
            "quantity": mixed(np.arange(n) % 4),
            "outcome": mixed(np.where(np.arange(n) % 5, "", "responded")),
            "sentiment": mixed(np.arange(n) % 21 / 10 - 1),
        }
        surveys = {
            "customer_id": mixed(who, later < str(MAY.date)),
            "answered_at": later,
            "kind": np.where(np.arange(n) % 2, "nps", "csat"),
            "score": mixed(1 + np.arange(n) % 5, later < str(MAY.date)),
        }
        # What is paid from the snapshot on is open at it, whatever the file says today.
        settled = paid < str(MAY.date)
        receivables = {
            "customer_id": mixed(who),
            "issued_at": dates,
            "due_at": later,
            "amount": mixed(1 + np.arange(n) % 90),
            "paid_at": np.where(~settled & (seed is not None), "", paid),
            "written_off_at": np.where((np.arange(n) % 7 == 0) & (seed is not None), "2025-01-01", ""),
        }
        since = np.unique(np.char.add(np.char.add(who.astype(str), ","), dates.to_numpy().astype(str)))
        keys = pd.Series(since).str.split(",", expand=True)
        known = (keys[1] < str(MAY.date)).to_numpy()
        region = np.arange(len(keys)) % 6
        attributes = {
            "customer_id": keys[0],
            "valid_from": keys[1],
            "region": np.where(known | (seed is None), region, other.permutation(region)),
        }
        written = {}
        for name, rows in (
            ("touches", touches),
            ("surveys", surveys),
            ("receivables", receivables),
            ("attributes", attributes),
        ):
            table = pd.DataFrame(rows).sample(frac=1, random_state=seed)
            written[name] = write(f"{name}-{seed}.csv", table.to_csv(index=False))
        return BehaviourFiles(
            Touches.read(written["touches"]),
            Surveys.read(written["surveys"]),
            Receivables.read(written["receivables"]),
            Attributes.read(written["attributes"]),
            kinds={"letter": "send"},
        )

    as_it_was, as_it_came = (files(seed).columns(MAY, people) for seed in (None, 7))

    assert as_it_was.keys() == as_it_came.keys() and len(as_it_was) == 11
    for name, values in as_it_was.items():
        assert pd.Series(values).equals(pd.Series(as_it_came[name])), name
        assert pd.Series(values).nunique() > 1, name
    next_day = files(7).columns(Snapshot(date(2024, 6, 1)), people)
    assert any(not pd.Series(values).equals(pd.Series(next_day[name])) for name, values in as_it_was.items())


def test_customers_without_a_row_and_a_file_without_rows_are_said(write: Write) -> None:
    log = validate(
        pa.table(
            {"customer_id": ["anna", "ben", "cleo"], "ordered_at": ["2024-01-01"] * 3, "amount": ["1"] * 3}
        )
    )
    some = Attributes.read(write("some.csv", "customer_id,region\nanna,north\nzoe,south\n"))
    nobody = Attributes.read(write("none.csv", "customer_id,region\n"))

    assert list(BehaviourFiles(attributes=some).notes(log))[-1] == (
        "Of 3 customers of the log, 2 have no row in the file of attributes."
    )
    assert list(BehaviourFiles(attributes=nobody).notes(log))[0] == "The file of attributes has no rows."


def test_attributes_that_hold_for_all_time_are_known_as_such(write: Write) -> None:
    always = Attributes.read(write("a.csv", "customer_id,region,status\n1,north,lost\n2,south,\n"))
    dated = Attributes.read(write("b.csv", "customer_id,valid_from,region\n1,2024-01-01,north\n2,,south\n"))

    assert (always.undated, dated.undated) == (("region", "status"), ())


def test_an_attribute_of_too_many_values_is_left_out_with_a_sentence(write: Write) -> None:
    rows = "\n".join(f"c{number},{number},{number % 3}" for number in range(10_000))

    attributes = Attributes.read(write("attributes.csv", f"customer_id,postal_code,region\n{rows}\n"))

    assert attributes.names == ("attribute_region",)
    assert "postal_code has 10,000 different values and is left out" in attributes.findings[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("customer_id,region\n1,a\n1,a\n", "1 of its 2 rows have a customer who stands in the file before"),
        (
            "customer_id,valid_from,region\n1,2024-01-01,a\n1,2024-01-01,b\n",
            "a second time from the same day on: row 2",
        ),
        ("customer_id,valid_from\n1,2024-01-01\n", "has no attribute: beside customer_id and valid_from"),
        ("customer_id,region\n,a\n", "have no customer_id"),
    ],
)
def test_a_file_of_attributes_that_cannot_be_used_is_refused(write: Write, text: str, message: str) -> None:
    with pytest.raises(StayworthError, match=message):
        Attributes.read(write("attributes.csv", text))


def test_a_sentiment_beyond_its_scale_is_refused(write: Write) -> None:
    path = write("touchpoints.csv", "customer_id,occurred_at,touchpoint,sentiment\n1,2024-01-01,call,7\n")

    with pytest.raises(StayworthError, match="1 of its 1 rows have a sentiment outside -1 to 1"):
        Touches.read(path)
