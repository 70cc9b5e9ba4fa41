"""A campaign in the store and the folder of the same plan are the same, to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.log.sources import read_table
from serving.campaign.list_file import read_scores
from serving.campaign.published_list import published_scores
from serving.commands.campaigns import campaigns
from serving.commands.measure import measure
from serving.commands.plan import plan
from serving.lists.export import write_table
from serving.store.choice import Choice
from serving.store.store import Store

OFFERS = """
[[offers]]
name = "voucher"
channel = "e-mail"
contact_cost = 0.1
incentive_cost = 5
acceptance_rate = { alpha = 6, beta = 14 }
"""
CUSTOMERS = 400

ScoredList = Callable[..., pd.DataFrame]
Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    for command in (plan, measure):
        app.command()(command)
    app.add_typer(campaigns)

    def invoke(line: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, line.split())
        return result.exit_code, result.output

    return invoke


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored_list: ScoredList) -> Path:
    """A published list of 400, its file, an offer, contacts, and a log whose customers do as the scores say."""
    rng = np.random.default_rng(1)
    ids = [f"{number:04d}" for number in range(CUSTOMERS)]
    churn, spend = rng.beta(3, 2, CUSTOMERS), np.round(rng.lognormal(3.5, 0.7, CUSTOMERS), 2)
    last = [date(1998, 6, 30) - timedelta(days=int(n) % 90) for n in range(CUSTOMERS)]
    columns = {"churn_probability": churn, "value_at_stake": spend, "expected_value": spend}
    scores = scored_list(ids, **columns, value_at_risk=churn * spend, last_purchase_date=last)
    monkeypatch.chdir(tmp_path)
    with Store("sqlite:///stayworth.db") as store:
        store.publish(scores)
    write_table(scores, tmp_path / "scored.csv")
    (tmp_path / "offers.toml").write_text(OFFERS, encoding="utf-8")
    crm = pd.DataFrame(
        {"customer_id": ids[::2], "email": [f"{each}@x.example" for each in ids[::2]], "visits": 3}
    )
    crm.to_csv("crm.csv", index=False)
    buys = np.flatnonzero(rng.random(CUSTOMERS) > churn)
    days = [date(1998, 7, 1) + timedelta(days=int(d)) for d in rng.integers(0, 90, buys.size)]
    log = pd.DataFrame({"customer_id": [ids[i] for i in buys], "ordered_at": days, "amount": spend[buys]})
    log.loc[len(log)] = ["late", date(1998, 10, 9), 1.0]
    log.to_csv("orders.csv", index=False)
    return tmp_path


def test_the_published_list_is_read_as_its_file_is(folder: Path) -> None:
    with Store("sqlite:///stayworth.db") as store:
        published, set_id = published_scores(store.customers, Choice())

    from_file, said = read_scores(folder / "scored.csv")
    assert (set_id, said) == (1, [])
    in_order = from_file.set_index("customer_id").loc[published["customer_id"]].reset_index()
    pd.testing.assert_frame_equal(published, in_order[list(published.columns)], check_dtype=False)


def test_a_campaign_of_the_store_is_exported_as_the_folder_of_its_plan(run: Run, folder: Path) -> None:
    line = "plan --scores scored.csv --offers offers.toml --customers crm.csv --budget 300"

    code, said = run(f"{line} --name spring --out campaign")
    exported, said_exported = run("campaigns export spring --out again")

    assert (code, exported) == (0, 0), said + said_exported
    files = {file.name: file.read_bytes() for file in (folder / "campaign").iterdir()}
    assert {file.name: file.read_bytes() for file in (folder / "again").iterdir()} == files
    assert b"0000@x.example" in files["list.csv"] or b"@x.example" in files["list.csv"]


def test_the_published_list_is_planned_as_its_file_is(run: Run, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    line = "plan --offers offers.toml --budget 300"

    from_file, said = run(f"{line} --scores scored.csv --out elsewhere/campaign")
    from_store, said_of_store = run(f"{line} --name spring")
    run("campaigns export spring --out again")

    assert (from_file, from_store) == (0, 0), said + said_of_store
    for name in ("list.csv", "holdout.csv", "not_selected.csv"):
        assert (folder / "again" / name).read_bytes() == (
            folder / "elsewhere" / "campaign" / name
        ).read_bytes()


def test_a_list_without_the_zeros_of_the_published_one_is_refused(run: Run, folder: Path) -> None:
    saved = pd.read_csv(folder / "scored.csv")
    saved.to_csv(folder / "saved.csv", index=False)

    code, said = run("plan --scores saved.csv --offers offers.toml --budget 300 --out campaign")

    assert (code, (folder / "campaign").exists()) == (2, False)
    assert "The ids of saved.csv lack the leading zeros" in " ".join(said.split())


def test_no_campaign_draws_whom_another_holds_out_until_it_is_withdrawn(run: Run, folder: Path) -> None:
    run("plan --offers offers.toml --max-contacts 50 --name first")
    run("campaigns export first --out first")
    held = set(read_table(folder / "first" / "holdout.csv")["customer_id"])

    code, said = run("plan --offers offers.toml --name second")
    (folder / "apart").mkdir()
    beside, said_beside = run("plan --scores scored.csv --offers offers.toml --out apart/third")

    assert (code, beside) == (0, 0), said + said_beside
    run("campaigns export second --out second")
    rest = read_table(folder / "second" / "not_selected.csv").set_index("customer_id")["reason"]
    assert set(rest[sorted(held)]) == {"held out by a running campaign"}
    assert "Left alone for campaigns still running, first" in said
    for name in ("list.csv", "holdout.csv"):  # nor does a plan into a folder
        assert not held & set(read_table(folder / "apart" / "third" / name)["customer_id"])
    run("campaigns withdraw first")
    run("campaigns withdraw second")
    again, said_again = run("plan --offers offers.toml --name fourth")
    assert again == 0 and "Left alone for campaigns" not in said_again


def test_a_campaign_is_measured_from_the_store_as_from_its_folder(run: Run, folder: Path) -> None:
    run("plan --offers offers.toml --name spring --holdout 0.3")
    run("campaigns export spring --out campaign")
    run("campaigns sent spring")

    from_folder, said = run("measure --campaign campaign --transactions orders.csv --json")
    from_store, said_of_store = run("measure --campaign spring --transactions orders.csv --json")
    _, listed = run("campaigns list")

    assert (from_folder, from_store) == (0, 0), said + said_of_store
    assert said == said_of_store
    assert re.search(r"spring\s+measured\s+1998-07-01", listed)
    nowhere, said_of_none = run("measure --campaign summer --transactions orders.csv")
    assert nowhere == 2
    assert "neither a folder nor a campaign summer" in said_of_none


def test_a_measurement_of_a_campaign_that_nobody_said_was_sent_says_so(run: Run, folder: Path) -> None:
    run("plan --offers offers.toml --name spring --holdout 0.3")

    code, said = run("measure --campaign spring --transactions orders.csv")

    assert code == 0, said
    assert "Nobody had said that this campaign was sent when it was measured." in said


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--budget 5", "--out is missing"),
        ("--name spring --budget -5", "has to be at least 0, not -5"),
        ("--name spring", "of that name already"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_in_words(
    run: Run, folder: Path, line: str, message: str
) -> None:
    run("plan --offers offers.toml --name spring --max-contacts 5")

    code, said = run(f"plan --offers offers.toml {line}")

    assert code == 2
    assert message in said
