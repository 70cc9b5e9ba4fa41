"""The commands plan, measure and tournament, from files to files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.log.sources import read_table
from serving.commands.campaign import measure, plan
from training.commands.tournament import tournament

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
    assert "holdout this campaign can only detect effects of" in said
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
