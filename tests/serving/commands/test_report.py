"""The commands ``report`` and ``calculate``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from features.commands.calculate import calculate
from serving.commands.report import report

app = typer.Typer()
app.command("report")(report)
app.add_typer(calculate, name="calculate")

FILES = {
    "orders.csv": "customer_id,ordered_at,amount,margin,channel\n"
    "ann,2015-01-10,10.00,3.00,web\nann,2015-03-20,20.00,6.00,web\nann,2015-09-05,30.00,9.00,app\n"
    "bob,2015-01-31,5.00,1.00,tv\ncid,2015-03-02,8.00,2.00,tv\nc-7,2015-03-09,8.00,2.00,tv\n",
    "identities.csv": "alias_id,customer_id\nc-7,cid\nnobody,cid\n",
    "customers.csv": "customer_id,city,acquisition_channel\nann,Yazd,web\nbob,,\ncid,Shiraz,radio\nzoe,Yazd,web\n",
    "spend.csv": "channel,from,to,amount\ntv,2015-01-01,2015-02-01,2.00\nradio,2015-03-01,2015-04-01,3.50\n"
    "press,2015-03-01,2015-04-01,1.00\ntv,2014-12-01,2015-01-01,9\n",
    "targets.csv": "indicator,period,segment,target\nchurn_rate,2015-05,,0.5\nend,2015-04,,2\nend,2015-09,,1\n"
    "end,2014-12,,1\ncac,2015-03,,5\n",
    "surveys.csv": "customer_id,answered_at,kind,score\nann,2015-03-01,nps,10\nzoe,2015-03-01,nps,1\n",
    "leads.csv": "lead_id,created_at,channel\n1,2015-03-01,radio\n",
    "referrals.csv": "referrer_id,referred_id,referred_at,reward\nann,cid,2015-03-01,1\n",
    "scores.csv": "customer_id,expected_value\nann,3\nbob,1.5\ncid,0\n",
    "deflator.csv": "month,index\n"
    + "".join(f"2015-0{month},{100 + 10 * month}\n" for month in range(1, 10)),
    "touchpoints.csv": "customer_id,occurred_at,touchpoint,quantity\nann,2015-03-01,call,2\nzoe,2015-03-02,call,1\n",
    "costs.toml": '[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 4.5\n[[touchpoints]]\ntouchpoint = "visit"\n'
    'unit_cost = 50\n[[pools]]\npool = "desk"\nmonth = "2015-03"\ncost = 10\ndriver = "orders"\n',
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_report_of_a_log_alone_says_which_files_would_fill_it() -> None:
    result = run("report", "--transactions", "orders.csv", "--out", "out", "--inactivity-days", 60)

    assert result.exit_code == 0, result.output
    names = {path.name for path in Path("out").iterdir()}
    assert names >= {
        "customer_base.csv",
        "sales.csv",
        "cohorts.csv",
        "channels.csv",
        "definitions.csv",
        "report.json",
        "report.html",
    }
    assert "active for 60 days" in result.stdout
    assert not Path("out/report.xlsx").exists()
    for flag in ("--spend", "--targets", "--deflator"):
        assert flag in result.stdout.partition("Not in the report, and what would fill it:")[2]
    base = pd.read_csv("out/customer_base.csv", dtype={"period": str})
    assert base.columns[:4].tolist() == ["segment", "period", "from", "to"]
    assert (base["start"] + base["new"] + base["returned"] - base["lost"] == base["end"]).all()


def test_a_workbook_on_request() -> None:
    result = run("report", "--transactions", "orders.csv", "--out", "out", "--xlsx")

    assert result.exit_code == 0, result.output
    assert len(pd.read_excel("out/report.xlsx", "customer_base")) == len(pd.read_csv("out/customer_base.csv"))


def test_a_report_with_every_file() -> None:
    result = run(
        *(
            "report",
            "--transactions",
            "orders.csv",
            "--out",
            "out",
            "--inactivity-days",
            60,
            "--segment",
            "city",
        ),
        *("--identities", "identities.csv", "--customers", "customers.csv", "--spend", "spend.csv"),
        *("--targets", "targets.csv"),
    )

    assert result.exit_code == 0, result.output
    assert "1 of 2 aliases of identities.csv are in the log" in result.stderr
    assert "3 of 4 customers of customers.csv are in the log" in result.stderr
    channels = pd.read_csv("out/channels.csv")
    march = channels[channels["period"] == "2015-03"].set_index("channel")
    # Cid is radio's by the file, though the first order came through tv; the press brought nobody
    assert march.loc["radio", ["acquired", "spend", "cac"]].tolist() == [1, 3.5, 3.5]
    assert march.loc["press", "spend"] == 1 and march["cac"].isna()["press"]
    assert march.loc["all", ["acquired", "spend", "cac"]].tolist() == [1, 4.5, 4.5]
    assert "9.00 lies on days before or after" in result.stderr
    segments = pd.read_csv("out/customer_base.csv")["segment"].unique().tolist()
    assert segments == ["all", "Shiraz", "Yazd", "unknown"]
    targets = pd.read_csv("out/targets.csv")
    # May: Ann and Cid of two are lost; April ends with both; September goes on; December lies before the log
    assert targets["status"].fillna("").tolist() == ["missed", "met", "provisional", "", "provisional"]
    payback = pd.read_csv("out/payback.csv").set_index("cohort")
    # January cost 1 each and the first margins bring 2; March cost 4.5, and Cid has brought 4
    assert payback.loc["2015-01", ["cac", "payback_age", "payback_purchases"]].tolist() == [1, 0, 1]
    assert payback.loc["2015-03", "cumulative_margin_per_acquired"] == 4
    assert payback["payback_age"].isna()["2015-03"]


def test_costs_surveys_leads_referrals_scores_and_real_money_each_have_their_tables() -> None:
    names = ("surveys", "leads", "referrals", "scores", "deflator", "touchpoints")

    result = run(
        *("report", "--transactions", "orders.csv", "--out", "out", "--identities", "identities.csv"),
        *(text for name in names for text in (f"--{name}", f"{name}.csv")),
        *("--costs", "costs.toml", "--period", "quarter"),
    )

    assert result.exit_code == 0, result.output
    assert pd.read_csv("out/surveys.csv")["nps"].tolist() == [100]
    assert pd.read_csv("out/leads.csv")["leads"].tolist() == [1, 1]  # all, and radio
    assert pd.read_csv("out/referrals.csv")["referred"].tolist() == [1]
    assert pd.read_csv("out/lifetime_value.csv").set_index("cohort").loc["all", "potential"] == 1.5
    bookings = pd.read_csv("out/bookings.csv").set_index("item")
    assert bookings.loc["call", ["booked", "allocated", "unallocated"]].tolist() == [13.5, 9, 4.5]
    assert bookings.loc["desk 2015-03", "allocated"] == 10
    costs = pd.read_csv("out/cost_of_keeping.csv").set_index("period")  # by month, whatever the periods
    # of March: 9 for Ann's calls and 10 of the desk, for Ann, Bob and Cid; at September's prices, as margins are
    cost = 19 / 3 * 190 / 130
    assert costs.loc["2015-03", ["kept_customers", "cost_of_keeping"]].tolist() == [3, pytest.approx(cost)]
    assert "costs of touchpoints that nobody was touched by: 'visit'" in result.stderr
    assert (
        "4.50 of 23.50 booked could not be allocated, for no customer of the log drives it: 'call'"
        in result.stderr
    )
    assert "Left out of the surveys: 1 row of 2, of people who are not in the log" in result.stderr
    page = Path("out/report.html").read_text(encoding="utf-8")
    findings = page.index('id="findings"')
    assert (
        findings < page.index("4.50 of 23.50 booked") < page.index('<section aria-labelledby="indicators">')
    )
    sales = pd.read_csv("out/sales.csv").set_index("period")
    # the quarter at September's prices: (10 + 5) · 190/110 + (20 + 16) · 190/130
    assert sales.loc["2015-Q1", "net_revenue"] == pytest.approx(15 * 190 / 110 + 36 * 190 / 130, abs=0.02)
    assert sales.loc["2015-Q1", "nominal_net_revenue"] == 51
    assert "Money is at the prices of 2015-09." in result.stdout
    assert "Not in the report" in result.stdout and "--surveys" not in result.stdout


def test_jalali_months_and_tomans() -> None:
    result = run(
        *(
            "report",
            "--transactions",
            "orders.csv",
            "--out",
            "out",
            "--calendar",
            "jalali",
            "--money-unit",
            "toman",
        ),
    )

    assert result.exit_code == 0, result.output
    sales = pd.read_csv("out/sales.csv").set_index("period")
    assert sales.index[:4].tolist() == ["1393-10", "1393-11", "1393-12", "1394-01"]
    assert sales.loc["1393-12", "net_revenue"] == 3.6  # 20 + 8 + 8 rials up to 20 March


def test_a_report_replaces_a_report_and_nothing_else() -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    command = ("report", "--transactions", "orders.csv", "--out")

    assert run(*command, "out").exit_code == 0
    assert run(*command, "out", "--period", "year").exit_code == 0
    refused = run(*command, "mine")

    assert len(pd.read_csv("out/customer_base.csv")) == 1
    assert refused.exit_code == 2 and "is no report" in refused.stderr
    assert Path("mine/notes.txt").read_text() == "keep"
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_nothing_is_written_where_a_file_is_wrong() -> None:
    Path("spend.csv").write_text("channel,from,to,amount\ntv,2015-01-01,2015-02-01,-2\n")

    result = run("report", "--transactions", "orders.csv", "--spend", "spend.csv", "--out", "out")

    assert result.exit_code == 2 and "negative amount" in result.stderr
    assert not Path("out").exists()


def test_a_report_as_json_holds_the_tables_their_terms_and_no_nan() -> None:
    result = run("report", "--transactions", "orders.csv", "--out", "out", "--json")

    document = json.loads(result.stdout, parse_constant=lambda text: pytest.fail(text))
    assert document["terms"]["inactivity_days"] == 90
    (first, *_) = document["sections"]["indicators"]["tables"]["customer_base"]["rows"]
    assert (first["period"], first["from"], first["churn_rate"]) == ("2015-01", "2015-01-01", None)
    assert json.loads(Path("out/report.json").read_text())["terms"] == document["terms"]


def test_a_column_that_is_no_segment_column_is_refused() -> None:
    rows = "".join(f"c{number},2015-01-{number % 28 + 1:02},5.00,1,web\n" for number in range(300))
    Path("orders.csv").write_text("customer_id,ordered_at,amount,margin,channel\n" + rows)
    names = "".join(f"c{number},name {number}\n" for number in range(300))
    Path("customers.csv").write_text("customer_id,name\n" + names)

    result = run(
        *("report", "--transactions", "orders.csv", "--customers", "customers.csv", "--segment", "name"),
        *("--out", "out"),
    )

    assert result.exit_code == 2 and "has 300 values" in result.stderr


def test_a_report_is_of_the_inactivity_window_of_its_scored_list_or_says_that_it_is_not() -> None:
    Path("scores.csv").write_text(
        "customer_id,snapshot_date,expected_value,inactivity_days\nann,2015-09-06,3,180\nbob,2015-09-06,1.5,180\n"
    )
    command = ("report", "--transactions", "orders.csv", "--scores", "scores.csv", "--out", "out")

    of_list = run(*command)
    own = run(*command, "--inactivity-days", 60)
    page = Path("out/report.html").read_text(encoding="utf-8")

    assert "active for 180 days after a purchase, as in the scored list" in of_list.stdout
    assert "in the scored list for" not in of_list.stderr
    assert "active for 60 days after a purchase (--inactivity-days), in the scored list for 180" in own.stderr
    assert "active for 60 days after a purchase (--inactivity-days), in the scored list for 180" in page


def test_a_scored_list_of_another_day_than_the_logs_end_is_said() -> None:
    Path("scores.csv").write_text("customer_id,snapshot_date,expected_value\nann,2015-06-01,3\n")

    result = run("report", "--transactions", "orders.csv", "--scores", "scores.csv", "--out", "out")

    assert "The scored list is of 2015-06-01, and the log ends on 2015-09-05" in result.stderr


def test_touches_and_costs_that_do_not_meet_are_said_and_so_are_touches_without_costs() -> None:
    touches = "customer_id,occurred_at,touchpoint\nann,2015-03-01,Visit\nann,2015-03-02,Visit\nann,2015-03-02,call\n"
    Path("touchpoints.csv").write_text(touches)
    command = ("report", "--transactions", "orders.csv", "--touchpoints", "touchpoints.csv", "--out", "out")

    with_costs, without = run(*command, "--costs", "costs.toml"), run(*command)

    assert "2 touches have no cost on their day and count as none: 'Visit' (2)." in with_costs.stderr
    assert "touchpoints.csv is not used" in without.stderr


def test_each_file_that_is_missing_is_named_once() -> None:
    result = run("report", "--transactions", "orders.csv", "--out", "out")

    missing = result.stdout.partition("Not in the report")[2]
    for name in ("spend", "referrals", "leads", "scored", "customers"):
        assert missing.count(f"{name}.csv") == 1
    assert "who brought whom; the stage advocate." in missing


# --- calculators -------------------------------------------------------------------------------------------------


def test_the_value_of_a_cohort_is_printed_year_by_year() -> None:
    plan = (
        "--customers",
        100_000,
        "--cac",
        100,
        "--rate",
        0.15,
        "--retention",
        "0.60 0.70",
        "--profit",
        "۵۰ ۷۰",
    )

    shown = run("calculate", "cohort-value", *plan)
    document = json.loads(run("calculate", "cohort-value", *plan, "--json").stdout)

    assert "2,608,695.65" in shown.stdout and "never pays for itself" in shown.stdout
    assert document["payback_year"] is None
    assert round(document["years"][1]["discounted_profit"]) == 2_223_062


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("what-if", "--customers", 1000, "--cac", 100, "--retention", "0.6", "--profit", "90"), "CAC -10%"),
        (("present-value", "--flows", "-50 30 40 55 72 88", "--rate", 0.15), "127.41"),
        (("payback", "--cac", 555556, "--margin", 150000), "3.7"),
        (("tenure", "--retention", 0.9), "10"),
        (("tenure", "--churn", 0.25, "--periods", 0.5), "0.134"),
        (("growth", "--start", 17_000_000, "--new", 680_000, "--lost", 170_000), "17,510,000"),
        (("cac", "word of mouth=66:5", "television=300:1"), "105"),
        (("shift", "--quantity", 1000, "--share", 0.2, "--cost-from", 5, "--cost-to", 0.5), "900"),
        (("real-money", "--inflation", 0.3, "--rate", 0.15, "--amount", 100_000, "--years", 2), "-0.115385"),
    ],
)
def test_each_calculator_prints_its_numbers(arguments, printed) -> None:
    result = run("calculate", *arguments)

    assert result.exit_code == 0 and printed in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tenure",), "one of the two"),
        (("tenure", "--churn", 5), "Write 5% as 0.05"),
        (("present-value", "--flows", "1,2,x"), "no list of numbers"),
        (("cac", "television:300"), "is no channel"),
        (("cac", "tv=300:0"), "no customers"),
    ],
)
def test_a_calculator_says_what_is_wrong(arguments, says) -> None:
    result = run("calculate", *arguments)

    assert result.exit_code == 2 and says in result.stderr


def test_targets_are_set_for_what_customers_say_for_leads_and_for_keeping() -> None:
    Path("targets.csv").write_text(
        "indicator,period,segment,target\nnps,2015-03,,50\nnps,2015-04,,50\nleads,2015-03,,2\n"
        "conversion_rate,2015-03,,10%\ncost_of_keeping,2015-03,,7\n"
    )
    names = ("surveys", "leads", "touchpoints", "targets")

    result = run(
        *("report", "--transactions", "orders.csv", "--out", "out", "--inactivity-days", 30),
        *(text for name in names for text in (f"--{name}", f"{name}.csv")),
        *("--costs", "costs.toml"),
    )

    assert result.exit_code == 0, result.output
    targets = pd.read_csv("out/targets.csv")
    # Nobody was asked in April. Keeping in March: two calls of Ann at 4.5 and the desk's 10 for four customers.
    assert targets["value"].fillna(-1).tolist() == [100, -1, 1, 0, 19 / 4]
    assert targets["status"].fillna("").tolist() == ["met", "", "missed", "missed", "met"]
