"""The commands plan, measure and tournament, from files to files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.economics.money import MoneyUnit
from features.errors import StayworthError
from features.log.sources import read_table
from serving.campaign.customer_files import CustomerFiles, contacts_ahead
from serving.campaign.ledger import ledger_section
from serving.campaign.meant_rows import OPT_OUTS
from serving.commands.measure import measure
from serving.commands.plan import plan
from serving.store.store import Store
from training.commands.tournament import tournament

pytestmark = pytest.mark.slow

OFFERS = """
[[offers]]
name = "voucher"
channel = "e-mail"
contact_cost = 0.1
incentive_cost = 5
acceptance_rate = { alpha = 6, beta = 14 }
"""


@pytest.fixture
def app() -> typer.Typer:
    commands = typer.Typer()
    for command in (plan, measure, tournament):
        commands.command()(command)
    return commands


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scored list of 800, an offer, and a log whose customers do as the scores say."""
    rng = np.random.default_rng(1)
    n = 800
    ids, churn, spend = np.arange(n), rng.beta(3, 2, n), np.round(rng.lognormal(3.5, 0.7, n), 2)
    pd.DataFrame(
        {
            "customer_id": [f"{i:04d}" for i in ids],
            "snapshot_date": "2024-01-01",
            "churn_probability": churn,
            "expected_value": spend,
            "value_at_stake": spend,
            "value_tier": "medium",
            "horizon_days": 90,
            "margin": 0.3,
        }
    ).to_csv(tmp_path / "scored.csv", index=False)
    buys = np.flatnonzero(rng.random(n) > churn)
    days = [date(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 90, buys.size)]
    log = pd.DataFrame({"customer_id": [f"{i:04d}" for i in buys], "ordered_at": days, "amount": spend[buys]})
    log.loc[len(log)] = ["late", date(2024, 4, 9), 1.0]
    log.to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "offers.toml").write_text(OFFERS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(app: typer.Typer, line: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, line.split())
    return result.exit_code, result.output


def test_a_campaign_from_scores_to_what_was_learned(app: typer.Typer, folder: Path) -> None:
    (folder / "optouts.csv").write_text("customer_id\n0001\n0002\n", encoding="utf-8")

    code, said = _run(
        app,
        "plan --scores scored.csv --offers offers.toml --budget 500 --suppress optouts.csv --out campaign",
    )

    assert code == 0, said
    assert "(10%, and half of those made to learn), this campaign can only detect effects of" in said
    reasons = read_table(folder / "campaign" / "not_selected.csv").set_index("customer_id")["reason"]
    assert set(reasons[["0001", "0002"]]) == {"asked not to be contacted"}

    code, said = _run(app, "measure --campaign campaign --transactions orders.csv")

    assert code == 0, said
    assert "share who bought" in said
    assert "The data can't tell yet" in said or "The campaign" in said
    for name in ("measured.csv", "measured.json", "offers.updated.toml"):
        assert (folder / "campaign" / name).exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--scores scored.csv --offers offers.toml --holdout 0.1 --effect 0.1 --out c", "not both"),
        ("--scores scored.csv --offers none.toml --out c", "Can't read the offers file"),
        ("--scores orders.csv --offers offers.toml --out c", "no column 'snapshot_date'"),
        ("--scores scored.csv --offers offers.toml --cooldown-days 30 --out c", "give --contacts"),
        (
            "--scores scored.csv --offers offers.toml --horizon-days 60 --out c",
            "--horizon-days 60 contradicts the scored list, whose horizon_days is 90. Leave the flag out.",
        ),
        (
            "--scores scored.csv --offers offers.toml --suppress offers.toml --out c",
            "of no kind that can be read",
        ),
        (
            "--scores scored.csv --offers offers.toml --contacts orders.csv --out c",
            "no column 'contacted_on'",
        ),
    ],
)
def test_a_caller_s_mistake_ends_with_code_two_and_writes_nothing(
    app: typer.Typer, folder: Path, line: str, message: str
) -> None:
    code, said = _run(app, f"plan {line}")

    assert code == 2
    assert message in said
    assert not (folder / "c").exists()


@pytest.mark.parametrize(
    ("name", "content", "explanation"),
    [
        ("nozeros.csv", b"customer_id\n1\n2\n", "2 more would match without leading zeros: '1', '2'"),
        (
            "spaces.csv",
            "customer_id\n00 01\n0002\u200b\n".encode(),
            "without spaces and invisible characters",
        ),
        ("half.csv", b"customer_id\n0001\n2\n", "1 of 2 opt-outs"),
        ("apostrophes.csv", b"customer_id\n'0001\n'0002\n", "without an apostrophe before them"),
    ],
)
def test_an_opt_out_list_that_a_spreadsheet_changed_is_refused_or_matched_loosely(
    app: typer.Typer, folder: Path, name: str, content: bytes, explanation: str
) -> None:
    (folder / name).write_bytes(content)
    line = f"plan --scores scored.csv --offers offers.toml --suppress {name}"

    code, said = _run(app, f"{line} --out c")
    loosely, said_loosely = _run(app, f"{line} --loose-ids --out loose")

    assert code == 2
    assert explanation in said and "--loose-ids" in said
    assert not (folder / "c").exists()
    assert loosely == 0, said_loosely
    assert f"2 of 2 opt-outs of {name} are in the scored list." in said_loosely
    contacted = set(read_table(folder / "loose" / "list.csv")["customer_id"])
    assert not contacted & {"0001", "0002"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_an_opt_out_list_in_excels_unicode_text_is_read(
    app: typer.Typer, folder: Path, encoding: str
) -> None:
    (folder / "optouts.csv").write_bytes("customer_id\tsince\n0001\t\n0002\t\n".encode(encoding))

    code, said = _run(
        app, "plan --scores scored.csv --offers offers.toml --suppress optouts.csv --out campaign"
    )

    assert code == 0, said
    assert "2 of 2 opt-outs" in said


@pytest.mark.parametrize(
    ("days", "complaint"),
    [
        (
            ["1402-10-05", "2023-12-26"],
            "1 of 2 dates in contacted_on of past.csv lie before 1900, such as 1402.",
        ),
        (["0023-12-26"] * 2, "2 of 2 dates in contacted_on of past.csv lie before 1900, such as 23."),
    ],
)
def test_past_contacts_of_no_one_calendar_are_refused(
    tmp_path: Path, days: list[str], complaint: str
) -> None:
    path = tmp_path / "past.csv"
    path.write_text("customer_id,contacted_on\n" + "".join(f"a,{day}\n" for day in days), encoding="utf-8")

    with pytest.raises(StayworthError, match=complaint):
        CustomerFiles(["a"], "the list").past_contacts(path)


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("45300", "as Excel's day numbers: --date-format excel reads them"),
        ("31.01.2024", "with the day first: --date-format '%d.%m.%Y' reads them"),
        ("soon", "Write them as 2011-01-31, or say how"),
    ],
)
def test_what_reads_past_contacts_is_told(tmp_path: Path, day: str, says: str) -> None:
    path = tmp_path / "past.csv"
    path.write_text(f"customer_id,contacted_on\na,{day}\n", encoding="utf-8")

    with pytest.raises(StayworthError, match=re.escape(says)):
        CustomerFiles(["a"], "the list").past_contacts(path)


def test_opt_outs_that_are_most_customers_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("customer_id\na\nb\n", encoding="utf-8")
    few, most = CustomerFiles(list("abcd"), "the list"), CustomerFiles(list("abc"), "the list")

    assert few.ids(path, OPT_OUTS) == most.ids(path, OPT_OUTS) == ["a", "b"]

    assert few.report == ["2 of 2 opt-outs of all.csv are in the list."]
    assert "Warning: all.csv names 2 of 3 customers of the list: is it a list of all?" in most.report[1]
    path.write_text("00395\n", encoding="utf-8")
    with pytest.raises(StayworthError, match="first line seems to be an id: write customer_id above it"):
        few.ids(path, OPT_OUTS)


def test_past_contacts_of_the_jalali_calendar_are_read_and_those_ahead_are_named(tmp_path: Path) -> None:
    path = tmp_path / "past.csv"
    path.write_text("customer_id,contacted_on\na,1402-10-05\nb,1402/02/31\n", encoding="utf-8")
    files = CustomerFiles(["a", "b"], "the list")

    contacts = files.past_contacts(path)

    assert contacts["contacted_on"].tolist() == ["2023-12-26", "2023-05-21"]
    assert "of the Jalali calendar, and read so: 2023-05-21 is the first" in files.report[0]
    assert contacts_ahead(contacts, date(2023, 12, 1), "past.csv") == []  # a list of some weeks ago
    assert contacts_ahead(contacts, date(2023, 11, 23), "past.csv") == [
        "Warning: 1 of 2 contacts of past.csv lie after the campaign's start, 2023-11-23, such as that of 2023-12-26: "
        "they count as recent. Is the year right?"
    ]


def test_past_contacts_with_the_day_first_need_their_format(app: typer.Typer, folder: Path) -> None:
    # Contacted on 5 December 2023, within 60 days of the plan's first day; read as 12 May they would not be.
    ids = pd.read_csv(folder / "scored.csv", dtype=str)["customer_id"][:400]
    pd.DataFrame({"customer_id": ids, "contacted_on": "05/12/2023"}).to_csv("past.csv", index=False)
    line = "plan --scores scored.csv --offers offers.toml --cooldown-days 60 --contacts past.csv"

    code, said = _run(app, f"{line} --out c")
    formatted, said_formatted = _run(app, f"{line} --date-format %d/%m/%Y --out campaign")

    assert code == 2 and "400 of 400 dates in contacted_on of past.csv cannot be read" in said
    assert formatted == 0, said_formatted
    reasons = read_table(folder / "campaign" / "not_selected.csv")["reason"]
    assert (reasons == "contacted within the last 60 days").sum() == 400


def test_the_folder_of_a_campaign_says_whom_it_contacted(app: typer.Typer, folder: Path) -> None:
    line = "plan --scores scored.csv --offers offers.toml --max-contacts 50"
    first, said = _run(app, f"{line} --starts-on 2023-08-01 --out campaign")
    (folder / "elsewhere").mkdir()
    (folder / "campaign").rename(folder / "elsewhere" / "first")

    code, said_second = _run(app, f"{line} --cooldown-days 200 --contacts elsewhere/first --out second")

    assert (first, code) == (0, 0), said + said_second
    contacted = set(read_table(folder / "elsewhere" / "first" / "list.csv")["customer_id"])
    rest = read_table(folder / "second" / "not_selected.csv")
    assert set(rest["customer_id"][rest["reason"] == "contacted within the last 200 days"]) == contacted


def test_a_list_on_which_nothing_pays_treats_nobody(app: typer.Typer, folder: Path) -> None:
    scores = pd.read_csv(folder / "scored.csv", dtype={"customer_id": str}).assign(
        expected_value=0,
        value_at_stake=0,
        value_of_resumption=0,
        resumption=0.5,
        last_purchase_date="2023-01-01",
    )
    scores.to_csv(folder / "worthless.csv", index=False)

    code, said = _run(app, "plan --scores worthless.csv --offers offers.toml --out campaign")

    assert code == 0, said
    assert "Treat nobody" in said


def test_a_plan_in_a_folder_alone_says_that_the_store_does_not_know_it(
    app: typer.Typer, folder: Path, scored_list: Callable[..., pd.DataFrame]
) -> None:
    store = f"sqlite:///{folder}/store.db"
    given = [
        "plan",
        "--scores",
        f"{folder}/scored.csv",
        "--offers",
        f"{folder}/offers.toml",
        "--store",
        store,
    ]

    def said(*more: str) -> str:
        done = CliRunner().invoke(app, [*given, *more])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    unpublished = said("--out", f"{folder}/first")
    with Store(store) as opened:
        opened.publish(scored_list(["0001", "0002"]))
    alone = said("--out", f"{folder}/second")
    named = said("--out", f"{folder}/third", "--name", "spring")

    words = "The store does not know this campaign: with --name too, the workbench shows it"
    assert words in alone and words not in unpublished + named


def test_findings_go_into_a_new_folder(app: typer.Typer, folder: Path) -> None:
    _run(app, "plan --scores scored.csv --offers offers.toml --out campaign")

    code, said = _run(app, "measure --campaign campaign --transactions orders.csv --out found")
    nowhere, complaint = _run(app, "measure --campaign campaign --transactions orders.csv --out no/such")

    assert code == 0, said
    assert (folder / "found" / "measured.csv").is_file()
    assert nowhere == 2 and "does not exist" in complaint


def test_plan_and_measure_print_what_they_keep_for_a_script(app: typer.Typer, folder: Path) -> None:
    planned = CliRunner().invoke(
        app, ["plan", "--scores", "scored.csv", "--offers", "offers.toml", "--out", "campaign", "--json"]
    )
    measured = CliRunner().invoke(
        app, ["measure", "--campaign", "campaign", "--transactions", "orders.csv", "--json"]
    )

    assert json.loads(planned.stdout) == json.loads((folder / "campaign" / "plan.json").read_text())
    assert json.loads(measured.stdout) == {
        "campaigns": [json.loads((folder / "campaign" / "measured.json").read_text())],
        "pooled": None,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(",", ";").replace("0.", "0,"), "cells that are no numbers, such as '"),
        (
            lambda text: text.replace("2024-01-01", "1 Jan"),
            "The dates of snapshot_date in edited.csv, such as '1 Jan', are read by none of its ways",
        ),
        (
            lambda text: text.replace("\n0001,", "\n1.51E+18,"),
            "In edited.csv 1 id is in scientific notation",
        ),
    ],
)
def test_a_scored_list_that_a_spreadsheet_changed_is_refused_with_an_example(
    app: typer.Typer, folder: Path, change: Callable[[str], str], message: str
) -> None:
    (folder / "edited.csv").write_text(change((folder / "scored.csv").read_text()))

    code, said = _run(app, "plan --scores edited.csv --offers offers.toml --out c")

    assert code == 2
    assert message in said
    assert not (folder / "c").exists()


def test_a_campaign_is_not_measured_on_a_log_of_other_customers(app: typer.Typer, folder: Path) -> None:
    _run(app, "plan --scores scored.csv --offers offers.toml --budget 500 --out campaign")
    orders = pd.read_csv(folder / "orders.csv", dtype=str)
    orders.assign(customer_id="x" + orders["customer_id"]).to_csv("other.csv", index=False)
    short = orders["customer_id"].str.lstrip("0").replace("", "0")
    orders.assign(customer_id=short).to_csv("nozeros.csv", index=False)
    (folder / "exact").mkdir()
    (folder / "loose").mkdir()

    other, said_other = _run(app, "measure --campaign campaign --transactions other.csv")
    _, said = _run(app, "measure --campaign campaign --transactions orders.csv --out exact")
    damaged, said_damaged = _run(app, "measure --campaign campaign --transactions nozeros.csv")
    loosely, said_loosely = _run(
        app, "measure --campaign campaign --transactions nozeros.csv --loose-ids --out loose"
    )

    assert other == 2 and "customers of the campaign are in the log" in said_other
    assert damaged == 2 and "more would match without leading zeros" in said_damaged
    assert not (folder / "campaign" / "measured.json").exists()
    assert loosely == 0, said_loosely
    assert (folder / "loose" / "measured.csv").read_text() == (folder / "exact" / "measured.csv").read_text()


def test_a_campaign_is_not_measured_on_a_log_in_another_currency(app: typer.Typer, folder: Path) -> None:
    for name, currency in (("scored.csv", "€"), ("orders.csv", "USD")):
        pd.read_csv(name, dtype={"customer_id": str}).assign(currency=currency).to_csv(name, index=False)
    _run(app, "plan --scores scored.csv --offers offers.toml --budget 500 --out campaign")

    refused, said = _run(app, "measure --campaign campaign --transactions orders.csv")
    accepted, _ = _run(app, "measure --campaign campaign --transactions orders.csv --accept other-currency")

    assert (refused, accepted) == (2, 0)
    assert "The amounts of the log are in USD, the scores and costs of the campaign are in €" in said
    assert "(--accept other-currency)" in said


def test_a_scored_list_in_two_currencies_is_not_planned(app: typer.Typer, folder: Path) -> None:
    scored = pd.read_csv("scored.csv", dtype={"customer_id": str})
    scored.assign(currency=["EUR", "USD"] * 400).to_csv("scored.csv", index=False)

    code, said = _run(app, "plan --scores scored.csv --offers offers.toml --budget 500 --out campaign")

    assert (code, (folder / "campaign").exists()) == (2, False)
    assert "The scored list is in 2 currencies, EUR, USD" in said


@pytest.mark.parametrize("given", ["stop", "stop/*.csv"])
def test_opt_outs_may_be_a_folder_of_files(app: typer.Typer, folder: Path, given: str) -> None:
    (folder / "stop").mkdir()
    for name, customer in (("a.csv", "0001"), ("b.csv", "0002")):
        (folder / "stop" / name).write_text(f"customer_id\n{customer}\n", encoding="utf-8")

    code, said = _run(app, f"plan --scores scored.csv --offers offers.toml --suppress {given} --out campaign")

    assert code == 0, said
    reasons = read_table(folder / "campaign" / "not_selected.csv").set_index("customer_id")["reason"]
    assert set(reasons[["0001", "0002"]]) == {"asked not to be contacted"}


def test_two_campaigns_are_measured_and_pooled(app: typer.Typer, folder: Path) -> None:
    for name in ("spring", "autumn"):
        _run(app, f"plan --scores scored.csv --offers offers.toml --budget 300 --out {name}")
    line = "measure --campaign spring --campaign autumn --transactions orders.csv"

    code, said = _run(app, f"{line} --out both")
    redeemed, refused = _run(app, f"{line} --redeemed orders.csv")

    assert code == 0, said
    assert "2 campaigns together" in said and "random effects" in said
    assert (folder / "spring" / "measured.json").exists() and (folder / "autumn" / "measured.json").exists()
    assert len((folder / "both" / "pooled.csv").read_text().splitlines()) == 7
    assert redeemed == 2 and "--redeemed is of one campaign" in refused


def test_files_of_costs_belong_to_the_scores_not_to_the_plan(app: typer.Typer, folder: Path) -> None:
    flags = ["--scores", "scored.csv", "--offers", "offers.toml", "--out", "c", "--touchpoints", "t.csv"]

    result = CliRunner().invoke(app, ["plan", *flags])

    assert result.exit_code == 2
    assert "net of each customer's own costs already" in result.output
    assert not Path("c").exists()


def test_the_help_of_plan_shows_the_tables_of_an_offers_file(app: typer.Typer) -> None:
    code, said = _run(app, "plan --help")

    assert code == 0
    assert "[[offers]]" in said


def test_a_tournament_from_a_table(app: typer.Typer, folder: Path) -> None:
    rng = np.random.default_rng(2)
    young, arm = rng.random(2000), rng.integers(0, 2, 2000)
    visit = (rng.random(2000) < 0.1 + 0.5 * young * arm).astype(int)
    pd.DataFrame({"customer_id": range(2000), "young": young, "arm": arm, "visit": visit}).to_csv(
        folder / "past.csv", index=False
    )

    code, said = _run(app, "tournament --experiment past.csv --treatment arm --outcome visit --cost 0.1")

    assert code == 0, said
    assert "Contact by uplift" in said
    assert "everybody" in said

    line = "tournament --experiment past.csv --treatment arm --outcome visit --cost 0.1 --json"
    told = json.loads(CliRunner().invoke(app, line.split()).stdout)

    assert told["contacted"] + told["not_contacted"] == 2000
    assert told["winner"].startswith("uplift")
    assert max(told["policies"], key=lambda row: row["qini"])["policy"] == told["winner"]


def test_the_ledger_sets_what_campaigns_earned_beside_what_they_were_to_earn(
    app: typer.Typer, folder: Path
) -> None:
    planned = "plan --scores scored.csv --offers offers.toml --explore 0 --holdout 0.3"
    lines = (
        f"{planned} --max-contacts 100 --out campaigns/first",
        f"{planned} --max-contacts 60 --out campaigns/second",
        f"{planned} --max-contacts 20 --out campaigns/third",
        f"{planned} --max-contacts 10 --starts-on 2024-04-05 --out campaigns/later",
        "measure --campaign campaigns/first --campaign campaigns/second --transactions orders.csv",
    )
    (folder / "campaigns").mkdir()
    for line in lines:
        code, said = _run(app, line)
        assert code == 0, said
    (folder / "campaigns" / "damaged").mkdir()
    (folder / "campaigns" / "damaged" / "plan.json").write_text("{")

    section = ledger_section(folder / "campaigns", date(2024, 4, 10), MoneyUnit())

    table = section.tables[0].rows.set_index("campaign")
    assert table["state"].to_dict() == {
        "first": "measured",
        "second": "measured",
        "third": "not measured",
        "later": "running",
        "all": "",
    }
    assert table["contacted"].to_dict() == {"first": 99, "second": 59, "third": 19, "later": 9, "all": 158}
    effects = [
        read_table(folder / "campaigns" / name / "measured.csv")
        .set_index(["group", "measure"])
        .loc[("all", "future_profit")]
        .astype(float)
        for name in ("first", "second")
    ]
    totals = [each["n_contacted"] * each["difference"] for each in effects]
    above, below = (
        np.hypot(*(each["n_contacted"] * (each[end] - each["difference"]) for each in effects))
        for end in ("high", "low")
    )
    assert table["measured_profit"][["first", "second"]].tolist() == pytest.approx(totals)
    assert table.loc["all", "measured_profit"] == pytest.approx(sum(totals))
    assert table.loc["all", "measured_profit_high"] == pytest.approx(sum(totals) + above)
    promised = table["expected_profit"][["first", "second"]].sum()
    assert table.loc["all", "measured_to_expected"] == pytest.approx(sum(totals) / promised)
    assert table.loc["all", "measured_to_expected_low"] == pytest.approx((sum(totals) - below) / promised)
    assert table["measured_profit"][["third", "later"]].isna().all()
    (damaged,), (of_how_many, waiting) = section.findings, section.notes
    assert damaged.startswith("Left out: ") and "damaged" in damaged
    assert of_how_many == "The line of all is of 2 of 4 campaigns, those that were measured."
    assert waiting.startswith("Closed and not measured: third.")


def test_a_folder_without_campaigns_has_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StayworthError, match="There is no campaign in"):
        ledger_section(tmp_path, date(2024, 4, 10), MoneyUnit())
    (missing,) = ledger_section(None, date(2024, 4, 10), MoneyUnit()).missing
    assert "--campaigns" in str(missing)
