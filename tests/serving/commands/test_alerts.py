"""The commands ``alerts`` and ``snooze``: lists in, a list to work through out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from features.errors import StoreError
from features.log.sources import read_table
from serving.commands.alerts import alerts, snooze
from serving.commands.forget import forget
from serving.lists.export import write_table
from serving.store.store import Store

app = typer.Typer()
for command in (alerts, snooze, forget):
    app.command()(command)

ScoredList = Callable[..., pd.DataFrame]
OFFERS = """
[[offers]]
name = "voucher"
incentive_cost = 1
acceptance_rate = 0.5
tiers = ["vip"]

[[offers]]
name = "gift"
incentive_cost = 20
acceptance_rate = 0.5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored_list: ScoredList) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_STORE", "sqlite:///stayworth.db")
    Path("offers.toml").write_text(OFFERS)
    Path("touchpoints.csv").write_text(
        "customer_id,occurred_at,touchpoint\ncid,1998-06-20,complaint\ncid,1998-06-25,Complaint\n"
        "dan,1998-05-01,complaint\ndan,1998-06-20,call\nzoe,1998-06-20,complaint\n"
    )
    Path("receivables.csv").write_text(
        "customer_id,issued_at,due_at,amount,paid_at,paid_amount,written_off_at\n"
        "bob,1998-05-01,1998-06-01,100,1998-06-15,40,\nbob,1998-05-01,1998-06-20,10,,,\n"
        "cid,1998-05-01,1998-08-01,100,,,\ndan,1998-01-01,1998-02-01,100,,,1998-06-01\n"
        "ann,1998-05-01,1998-06-01,100,1998-07-01,,\nann,1998-07-01,1998-07-01,100,,,\n"
    )
    write_list(scored_list, "before.csv", date(1998, 6, 1), [0.2, 0.2, 0.2, 0.2])
    write_list(scored_list, "scored.csv", date(1998, 7, 1), [0.2, 0.35, 0.34, 0.2])
    return tmp_path


def write_list(
    scored_list: ScoredList,
    name: str,
    snapshot: date,
    risk: list[float],
    stages: tuple[str, ...] = ("lapsing", "loyal", "repeat", "loyal"),
    last: date = date(1998, 5, 1),
) -> None:
    scores = scored_list(
        ["ann", "bob", "cid", "dan"],
        snapshot_date=snapshot,
        churn_probability=risk,
        value_at_stake=[100.0, 400.0, 50.0, 10.0],
        expected_value=[10.0, 20.0, 30.0, -5.0],
        value_tier=["vip", "medium", "vip", "low"],
        stage=list(stages),
        last_purchase_date=last,
    )
    write_table(scores, name)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def made(*more: object, scores: str = "scored.csv") -> pd.DataFrame:
    result = run("alerts", "--scores", scores, "--out", "alerts.csv", *more)
    assert result.exit_code == 0, result.output
    return read_table("alerts.csv")


def test_the_list_says_whom_to_look_at_why_and_what_to_offer() -> None:
    found = made("--before", "before.csv", "--offers", "offers.toml", "--touchpoints", "touchpoints.csv")

    assert found.columns.tolist() == [
        *("alert_id", "customer_id", "kind", "since", "reason", "value_at_risk"),
        *("offer", "expected_profit", "snoozed_until"),
    ]
    # The churn probability of cid rose by .14 only; dan's complaint is two months old.
    # bob: .35 * 400; gift: .35 * .5 * (400 - 20) - .65 * 20. ann: voucher, .2 * .5 * (100 - 1) - .8 * 1.
    assert found[["customer_id", "kind", "since", "offer", "reason"]].to_numpy().tolist() == [
        ["bob", "risk", "1998-07-01", "gift", "The churn probability rose from 20% to 35%."],
        ["ann", "overdue", "1998-07-01", "voucher", "Overdue: no purchase for 61 days."],
        ["cid", "complaint", "1998-06-25", "voucher", "Complained 2 times in 30 days, last on 1998-06-25."],
    ]
    assert found["value_at_risk"].astype(float).tolist() == pytest.approx([140, 20, 17])
    assert found["expected_profit"].astype(float).tolist() == pytest.approx([53.5, 9.1, 7.67])


def test_debts_are_what_is_overdue_and_open_on_the_day() -> None:
    found = made("--offers", "offers.toml", "--receivables", "receivables.csv")

    # bob: 60 of the first are open since 2 June, 10 of the second. ann paid on the day itself, which is not known yet.
    debts = found[found["kind"] == "debt"]
    assert debts[["customer_id", "since", "reason", "offer", "expected_profit"]].to_numpy().tolist() == [
        ["bob", "1998-06-02", "Owes 70.00, overdue for 30 days.", "call", ""],
        ["ann", "1998-06-02", "Owes 100.00, overdue for 30 days.", "call", ""],
    ]


def test_a_debt_whose_mark_may_group_thousands_is_said_and_read_by_the_flag() -> None:
    Path("receivables.csv").write_text(
        "customer_id,issued_at,due_at,amount\nbob,1998-05-01,1998-06-01,1.500\nann,1998-05-01,1998-06-01,2.000\n"
    )

    flags = ("alerts", "--scores", "scored.csv", "--out", "alerts.csv", "--receivables", "receivables.csv")

    plainly = run(*flags)
    grouped = run(*flags, "--thousands", ".", "--decimal", ",", "--out", "grouped.csv")

    assert "receivables.csv: the numbers in amount with the mark '.' have three digits" in " ".join(
        plainly.stderr.split()
    )
    assert "three digits" not in grouped.stderr
    assert "Owes 1,500.00" in Path("grouped.csv").read_text()


def test_without_offers_it_is_a_call() -> None:
    assert made()["offer"].tolist() == ["call"]


def test_nothing_is_lost_between_two_runs_and_a_purchase_closes(scored_list: ScoredList) -> None:
    first = made("--before", "before.csv")
    write_list(scored_list, "later.csv", date(1998, 8, 1), [0.2] * 4, last=date(1998, 5, 1))
    write_list(
        scored_list, "bought.csv", date(1998, 9, 1), [0.2] * 4, stages=("loyal",) * 4, last=date(1998, 8, 9)
    )

    again, later = made("--before", "before.csv"), made(scores="later.csv")
    older = run("alerts", "--scores", "scored.csv", "--out", "x.csv")
    bought = made(scores="bought.csv")

    assert again["alert_id"].tolist() == later["alert_id"].tolist() == first["alert_id"].tolist()
    assert older.exit_code == 2
    assert "Give the newest list" in older.output
    assert not Path("x.csv").exists()
    assert bought.empty


def test_a_snoozed_alert_goes_to_the_end_of_the_list() -> None:
    first = made("--before", "before.csv")

    result = run("snooze", first["alert_id"].iloc[0], "--until", "1998-07-15")

    assert result.exit_code == 0, result.output
    found = made("--before", "before.csv")
    assert found["customer_id"].tolist() == ["ann", "bob"]
    assert found["snoozed_until"].tolist() == ["", "1998-07-15"]
    assert run("snooze", "nonsense", "--until", "1998-07-15").exit_code == 2


def test_opt_outs_and_strangers_are_in_no_alert() -> None:
    Path("opted_out.csv").write_text("customer_id\nbob\n")

    result = run(
        *("alerts", "--scores", "scored.csv", "--before", "before.csv", "--out", "alerts.csv"),
        *("--suppress", "opted_out.csv", "--touchpoints", "touchpoints.csv"),
    )

    assert result.exit_code == 0, result.output
    assert read_table("alerts.csv")["customer_id"].tolist() == ["ann", "cid"]
    assert "2 of 3 customers of touchpoints.csv are in the scored list." in result.output  # zoe is not
    assert "Left alone: 1 customer who asked for it (--suppress)." in result.output
    assert "running campaign" not in result.output


@pytest.mark.parametrize("flag", ["--before", "--touchpoints", "--receivables"])
def test_a_file_of_other_customers_is_refused(flag: str, scored_list: ScoredList) -> None:
    write_list(scored_list, "others.csv", date(1998, 6, 1), [0.2] * 4)
    for name in ("others.csv", "touchpoints.csv", "receivables.csv"):
        Path(name).write_text(
            re.sub(r"\b(ann|bob|cid|dan|zoe)\b", lambda name: name[0].upper(), Path(name).read_text())
        )
    files = {"--before": "others.csv", "--touchpoints": "touchpoints.csv", "--receivables": "receivables.csv"}

    result = run("alerts", "--scores", "scored.csv", "--out", "alerts.csv", flag, files[flag])
    loosely = run("alerts", "--scores", "scored.csv", "--out", "loose.csv", flag, files[flag], "--loose-ids")

    assert result.exit_code == 2
    assert "would match in lower case" in " ".join(result.output.split()) and not Path("alerts.csv").exists()
    assert loosely.exit_code == 0, loosely.output


def test_complaints_of_a_name_that_no_touch_has_are_refused() -> None:
    result = run(
        *("alerts", "--scores", "scored.csv", "--out", "alerts.csv"),
        *("--touchpoints", "touchpoints.csv", "--complaint", "Beschwerde"),
    )

    assert result.exit_code == 2
    assert "No touch is called 'Beschwerde', as --complaint says; there are call, complaint." in result.output


def test_missed_targets_come_from_a_report() -> None:
    Path("report").mkdir()
    Path("report/targets.csv").write_text(
        "indicator,period,segment,value,target,status\nchurn_rate,1998-05,all,0.3,0.2,missed\n"
        "churn_rate,1998-06,all,0.25,0.2,missed\nend,1998-05,all,5,9,missed\nend,1998-06,all,9,9,met\n"
    )

    found = made("--report", "report")

    assert found["reason"].tolist()[-1] == "Missed: churn rate in 1998-06 was 25.0%, the target 20.0%."
    assert found["kind"].tolist() == ["overdue", "target"]
    assert found["customer_id"].tolist() == ["ann", ""]


def test_a_missed_target_of_money_names_its_unit() -> None:
    Path("report").mkdir()
    Path("report/report.json").write_text('{"terms": {"money_unit": "EUR"}}')
    Path("report/targets.csv").write_text(
        "indicator,period,segment,value,target,status\nnet_revenue,1998-06,web,1234567.8,2000000,missed\n"
    )

    found = made("--report", "report")

    assert found["reason"].tolist()[-1] == (
        "Missed: net revenue of web in 1998-06 was 1,234,568 EUR, the target 2,000,000 EUR."
    )


def test_a_list_that_raises_no_alert_says_why_nothing_is_to_be_done(scored_list: ScoredList) -> None:
    write_list(scored_list, "calm.csv", date(1998, 7, 1), [0.2] * 4, stages=("loyal",) * 4)

    result = run("alerts", "--scores", "calm.csv", "--out", "alerts.csv")

    assert "Nothing is to be done today: of 4 customers on the list nobody has been silent" in result.stdout
    assert "Left alone" not in result.stdout and "asked" not in result.stdout


def test_the_console_says_what_since_means() -> None:
    assert (
        "Since: the day of the list" in run("alerts", "--scores", "scored.csv", "--out", "alerts.csv").stdout
    )


def test_who_is_forgotten_has_no_alert() -> None:
    made("--before", "before.csv")

    result = run("forget", "bob")

    assert result.exit_code == 0, result.output
    with Store("sqlite:///stayworth.db") as store:
        assert [row["customer_id"] for row in store.alerts.all()] == ["ann"]


def test_a_list_of_an_older_release_is_refused() -> None:
    read_table("scored.csv").drop(columns="stage").to_csv("old.csv", index=False)

    result = run("alerts", "--scores", "old.csv", "--out", "alerts.csv")

    assert result.exit_code == 2
    assert "no column 'stage'" in result.output
    assert not Path("alerts.csv").exists()


def test_a_script_gets_json() -> None:
    result = run("alerts", "--scores", "scored.csv", "--out", "alerts.csv", "--json")

    (alert,) = json.loads(result.stdout)["alerts"]
    assert (alert["customer_id"], alert["kind"], alert["snoozed_until"]) == ("ann", "overdue", None)


KILLED = """
import os, sys
from serving.store.store import Store

with Store(sys.argv[1]).alerts.changing() as change:
    change.after = [{**row, "reason": "half"} for row in change.before]
    print("in the middle", flush=True)
    input()
"""


def test_a_process_that_is_killed_changes_nothing_and_another_one_waits_for_it() -> None:
    first = made("--before", "before.csv")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, "sqlite:///stayworth.db"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == "in the middle\n"
        with Store("sqlite:///stayworth.db") as store, pytest.raises(StoreError):
            store.alerts.changing(wait_seconds=0.1).__enter__()

        process.kill()

    assert made("--before", "before.csv")["reason"].tolist() == first["reason"].tolist()
