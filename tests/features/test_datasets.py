import subprocess
import sys
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import hyp2f1
from typer.testing import CliRunner

from features.datasets import cdnow, cdnow_sample, online_retail_from_workbook, simulate_log, simulate_world
from features.datasets.__main__ import app
from features.errors import LogError, MissingColumnError, StayworthError
from features.log.sources import read_log
from features.log.validation import validate

HEADER = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]


# --- CDNOW


def test_cdnow_has_its_published_counts():
    log = cdnow().to_pandas()

    assert len(log) == 69_659
    assert log["customer_id"].nunique() == 23_570
    assert (log["ordered_at"].min(), log["ordered_at"].max()) == (date(1997, 1, 1), date(1998, 6, 30))
    assert (log["amount"] == 0).sum() == 80
    assert log.duplicated().sum() == 255
    assert log["amount"].min() == 0


def test_cdnow_keeps_its_customer_ids_as_text_with_zeros():
    ids = cdnow().column("customer_id")

    assert ids[0].as_py() == "00001"
    assert {len(i) for i in ids.to_pylist()} == {5}


def test_every_order_of_the_sample_is_an_order_of_its_master_customer():
    sample, master = cdnow_sample().to_pandas(), cdnow().to_pandas()

    assert sample["customer_id"].nunique() == 2_357 and len(sample) == 6_919
    ours = sample.assign(customer_id=sample["master_id"])[master.columns]
    theirs = master[master["customer_id"].isin(sample["master_id"])]
    assert Counter(ours.itertuples(index=False)) == Counter(theirs.itertuples(index=False))


def test_cdnow_is_found_without_importing_lifetimes():
    code = "import sys; from features.datasets import cdnow; cdnow(); sys.exit('lifetimes' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- Simulator


@pytest.fixture(scope="module")
def year_of_everyone() -> Any:
    """40,000 customers who all begin on the first day and are watched for 52 weeks."""
    return simulate_log(40_000, acquisition_weeks=0, weeks=52, seed=7)


def repeat_purchases(log: Any) -> pd.Series:
    orders = log.transactions.to_pandas().groupby("customer_id").size()
    return orders.reindex(log.truth["customer_id"]) - 1


def assert_mean(values: pd.Series | np.ndarray, expected: float) -> None:
    """Four standard errors: one seed in 16,000 would fail, and the seed is fixed."""
    assert abs(np.mean(values) - expected) < 4 * np.std(values) / np.sqrt(len(values))


def test_mean_repeat_purchases_are_those_of_the_equation(year_of_everyone):
    r, alpha, a, b, t = 0.243, 4.414, 0.793, 2.426, 52.0
    # Fader, Hardie, Lee (2005), eq. 9.
    repeat = 1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
    expected = (a + b - 1) / (a - 1) * repeat

    assert_mean(repeat_purchases(year_of_everyone), expected)


def test_customers_without_a_repeat_purchase_are_as_many_as_the_rates_say(year_of_everyone):
    # Nobody drops out before the first repeat purchase, so P(X(t) = 0) = E[e^(−λt)] = (α/(α+t))^r.
    expected = (4.414 / (4.414 + 52)) ** 0.243

    assert_mean(repeat_purchases(year_of_everyone) == 0, expected)


def test_latent_rates_and_spends_have_the_moments_of_their_distributions(year_of_everyone):
    truth = year_of_everyone.truth

    assert_mean(truth["purchase_rate"], 0.243 / 4.414)  # r/α
    assert_mean(truth["dropout_probability"], 0.793 / (0.793 + 2.426))  # a/(a+b)
    assert_mean(truth["mean_spend"], 6.25 * 15.44 / (3.74 - 1))  # p·v/(q−1)


def test_amounts_scatter_around_their_customers_mean_spend(year_of_everyone):
    log = year_of_everyone.transactions.to_pandas().merge(year_of_everyone.truth, on="customer_id")
    ratio = log["amount"] / log["mean_spend"]

    assert_mean(ratio, 1.0)
    assert_mean((ratio - 1) ** 2, 1 / 6.25)  # the variance of Gamma(p, p) is 1/p
    assert np.allclose(log["amount"] * 100, (log["amount"] * 100).round(), atol=1e-6)


def test_who_dropped_out_did_so_at_the_last_order_and_after_a_repeat_purchase(year_of_everyone):
    log, truth = year_of_everyone.transactions.to_pandas(), year_of_everyone.truth.set_index("customer_id")
    last = log.groupby("customer_id")["ordered_at"].max().reindex(truth.index)
    dead = truth["died_at"].notna()

    assert 0.1 < dead.mean() < 0.9
    assert (last[dead] == truth["died_at"][dead]).all()
    assert (truth["died_at"][dead] >= truth["acquired_at"][dead]).all()
    assert not (dead & (repeat_purchases(year_of_everyone) == 0)).any()


def test_first_purchases_fall_into_the_acquisition_and_all_into_the_log():
    simulated = simulate_log(2_000, start=date(2020, 2, 29), weeks=10, acquisition_weeks=4, seed=3)
    times = simulated.transactions.column("ordered_at").to_pandas()
    first = simulated.transactions.to_pandas().groupby("customer_id")["ordered_at"].min()
    truth = simulated.truth.set_index("customer_id")

    assert times.is_monotonic_increasing
    assert times.iloc[0] >= pd.Timestamp(2020, 2, 29) and times.iloc[-1] < pd.Timestamp(2020, 5, 9)  # 70 days
    assert (first == truth["acquired_at"].reindex(first.index)).all()
    assert truth["acquired_at"].max() < pd.Timestamp(2020, 3, 28)  # 28 days
    assert list(truth.index[:2]) == ["C0001", "C0002"] and len(truth) == 2_000


def test_the_same_seed_gives_the_same_log_and_another_another():
    one, same, other = (simulate_log(500, refund_share=0.1, seed=seed) for seed in (1, 1, 2))

    assert one.transactions.equals(same.transactions)
    pd.testing.assert_frame_equal(one.truth, same.truth)
    assert not one.transactions.equals(other.transactions)


def test_refunds_pay_back_orders_of_the_same_customer_later():
    simulated = simulate_log(5_000, refund_share=0.2, seed=5)
    log = simulated.transactions.to_pandas()
    refunds, orders = log[log["amount"] < 0], log[log["amount"] >= 0]

    # Those due after the log's end, on average a week late in 78 weeks, are missing.
    assert 0.19 < len(refunds) / len(orders) < 0.21
    pairs = refunds.assign(amount=-refunds["amount"]).merge(orders, on=["customer_id", "amount"])
    first = pairs.groupby(["customer_id", "amount", "ordered_at_x"])["ordered_at_y"].min()
    assert len(first) == len(refunds)
    assert (first.index.get_level_values("ordered_at_x") >= first).all()


@pytest.mark.parametrize(
    "arguments",
    [{"n_customers": 0}, {"r": 0.0}, {"v": float("nan")}, {"acquisition_weeks": 78.0}, {"refund_share": 1.0}],
)
def test_an_argument_out_of_range_is_refused(arguments):
    with pytest.raises(StayworthError):
        simulate_log(**{"n_customers": 10, **arguments})


def test_a_simulated_log_passes_validation_whole():
    simulated = simulate_log(300, refund_share=0.1, seed=11)

    report = validate(simulated.transactions).report

    assert report.rows_used == report.rows_in == simulated.transactions.num_rows


# --- Online Retail II


def workbook(path: Path, **sheets: Any) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.fixture
def retail_path(tmp_path: Path) -> Path:
    """Two sheets that share invoice 3; a cancellation, a line without a customer, half a penny."""
    day, late = datetime(2010, 12, 1, 8, 26), datetime(2011, 1, 4, 10, 0)
    shared = [3, 22041, "record frame", 2, day, 1.25, 13085, "United Kingdom"]
    return workbook(
        tmp_path / "online_retail_II.xlsx",
        **{
            "Year 2009-2010": [
                HEADER,
                [1, 85048, "glass ball", 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085.0, "United Kingdom"],
                ["C2", "79323P", "cherry lights", -1, datetime(2009, 12, 2, 9, 0), 6.75, 13085.0, "France"],
                shared,
                shared,
            ],
            "Year 2010-2011": [
                HEADER,
                shared,
                shared,
                [None] * 8,
                [4, "POST", None, 5, late, 0.425, None, "United Kingdom"],
                ["C5", "POST", None, -5, late, 0.425, "0042", "United Kingdom"],
            ],
        },
    )


def test_a_workbook_becomes_a_log_with_the_shared_days_taken_once(retail_path):
    log = online_retail_from_workbook(retail_path).to_pandas()

    # Two equal lines of one invoice are real; the same invoice on the second sheet is not taken again.
    assert log["order_id"].tolist() == ["1", "C2", "3", "3", "4", "C5"]
    assert log["customer_id"].tolist()[:4] == ["13085"] * 4
    assert pd.isna(log["customer_id"][4]) and log["customer_id"][5] == "0042"
    # 12·6.95, −1·6.75, 2·1.25 twice, 5·0.425 = 2.125 up to 2.13 and its return back down.
    assert log["amount"].tolist() == [83.4, -6.75, 2.5, 2.5, 2.13, -2.13]
    assert log["product_id"].tolist() == ["85048", "79323P", "22041", "22041", "POST", "POST"]
    assert log["quantity"].tolist() == [12, -1, 2, 2, 5, -5]
    assert log["ordered_at"][0] == pd.Timestamp(2009, 12, 1, 7, 45)


def test_validation_keeps_all_of_a_workbook_but_the_line_without_a_customer(retail_path):
    report = validate(online_retail_from_workbook(retail_path)).report

    assert (report.rows_in, report.rows_used) == (6, 5)
    assert report.customers == 2 and report.refunds_only_customers == 1  # 0042 only returned something


def test_a_workbook_without_the_published_columns_says_what_it_has(tmp_path):
    path = workbook(tmp_path / "other.xlsx", Sheet1=[["InvoiceNo", "UnitPrice"], [1, 2.5]])

    with pytest.raises(MissingColumnError, match=r"Customer ID.*Its sheets have: InvoiceNo, UnitPrice\."):
        online_retail_from_workbook(path)


@pytest.mark.parametrize(("column", "cell"), [(3, "many"), (3, None), (4, "yesterday"), (5, "free")])
def test_a_cell_that_is_not_what_its_column_says_is_named(tmp_path, column, cell):
    line: list[object] = [1, 2, "x", 3, datetime(2010, 1, 1), 1.5, 4, "France"]
    line[column] = cell
    path = workbook(tmp_path / "bad.xlsx", Lines=[HEADER, line])

    with pytest.raises(LogError, match=r"bad\.xlsx, sheet Lines, row 2: InvoiceDate must be"):
        online_retail_from_workbook(path)


def test_a_file_that_is_no_workbook_and_one_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "fake.xlsx").write_text("Invoice,Price\n")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")

    for name in ("fake.xlsx", "old.xls"):
        with pytest.raises(LogError, match="not an Excel workbook"):
            online_retail_from_workbook(tmp_path / name)
    with pytest.raises(LogError, match="There is no file"):
        online_retail_from_workbook(tmp_path / "none.xlsx")


def test_the_published_lines_come_out_of_a_workbook_as_the_orders_that_others_built(tmp_path, stayworth_data):
    lines = pd.read_parquet(stayworth_data / "online_retail_II_lines_2009_2010.parquet")
    orders = pd.read_parquet(stayworth_data / "online_retail_II_orders.parquet")
    day = lines[lines["InvoiceDate"].str.startswith("2010-12-08")].assign(Description="", Country="")
    rows = day[HEADER].astype(object).where(day[HEADER].notna(), None)
    rows["InvoiceDate"] = pd.to_datetime(day["InvoiceDate"]).astype(object)
    path = workbook(tmp_path / "day.xlsx", **{"Year 2009-2010": [HEADER, *rows.to_numpy().tolist()]})

    log = online_retail_from_workbook(path).to_pandas().dropna(subset="customer_id")

    theirs = orders[orders["ts"].dt.date == date(2010, 12, 8)]
    assert len(log) == theirs["lines"].sum() > 1000
    assert log["amount"].sum() == pytest.approx(theirs["amount"].sum(), abs=0.005 * len(log))


# --- The command line


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_cdnow_is_written_as_csv_and_read_back(tmp_path):
    result = run("cdnow", tmp_path / "cdnow.csv")

    assert result.exit_code == 0
    assert "69,659" in result.output and "23,570" in result.output
    log = read_log(tmp_path / "cdnow.csv")
    assert log.column("customer_id").equals(cdnow().column("customer_id"))
    assert log.column("amount").cast(pa.float64()).equals(cdnow().column("amount"))


def test_simulate_runs_as_a_module_and_writes_parquet(tmp_path):
    command = [sys.executable, "-m", "features.datasets", "simulate", "--customers", "50", "--seed", "4"]

    result = subprocess.run([*command, str(tmp_path / "log.parquet")], capture_output=True, text=True)

    assert (result.returncode, result.stderr) == (0, "")
    drawn = simulate_log(50, seed=4).transactions
    assert pq.read_table(tmp_path / "log.parquet").cast(drawn.schema).equals(drawn)  # Parquet has no seconds


def test_a_world_is_written_as_it_will_be_some_weeks_after_its_log(tmp_path):
    options = ("--customers", 200, "--seed", 2, "--days-ahead", 28)

    result = run("world", "halved-30-days-ago", tmp_path / "log.parquet", *options)

    assert result.exit_code == 0
    drawn = simulate_world("halved-30-days-ago", n_customers=200, seed=2)
    assert pq.read_table(tmp_path / "log.parquet").num_rows == drawn.orders_until(28).num_rows


def test_a_business_is_written_with_the_years_of_its_own_log(tmp_path):
    result = run("world", "yearly-donors", tmp_path / "gifts.csv", "--customers", 50, "--seed", 2)

    assert result.exit_code == 0
    written, drawn = (
        pd.read_csv(tmp_path / "gifts.csv"),
        simulate_world("yearly-donors", n_customers=50, seed=2),
    )
    assert written["amount"].tolist() == drawn.transactions["amount"].to_pylist()
    assert drawn.ends.year - drawn.begins.year == 6


def test_online_retail_is_written_from_its_workbook(tmp_path, retail_path):
    assert run("online-retail", retail_path, tmp_path / "log.parquet").exit_code == 0
    assert read_log(tmp_path / "log.parquet").num_rows == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cdnow", "cdnow.xlsx"), "name it .csv or .parquet to choose a format"),
        (("online-retail", "none.xlsx", "out.csv"), "There is no file none.xlsx"),
        (("simulate", "--weeks", "5", "out.csv"), "do not fit a log of 5.0 weeks"),
        (
            ("world", "peak", "out.csv"),
            "There is no world 'peak'. Did you mean peak-ahead? There are: stationary,",
        ),
    ],
)
def test_a_mistake_of_the_caller_ends_with_a_sentence_and_exit_code_2(arguments, message):
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.output
