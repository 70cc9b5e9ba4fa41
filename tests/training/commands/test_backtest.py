"""The command ``backtest``: its offer, its tables, its file."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from features.errors import StayworthError
from features.log.transactions import TransactionLog
from training.backtest.policies import POLICIES
from training.backtest.settings import BacktestSettings
from training.commands.backtest import backtest

OFFERS = """
[[offers]]
name = "voucher"
contact_cost = 0.5
incentive_cost = 5
acceptance_rate = { alpha = 6, beta = 14 }

[[offers]]
name = "call"
contact_cost = 3
incentive_cost = 0
acceptance_rate = 0.2
"""


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    path = tmp_path / "offers.toml"
    path.write_text(OFFERS, encoding="utf-8")
    return path


def test_the_default_offer_is_a_tenth_of_a_purchase() -> None:
    offer = BacktestSettings().the_offer()

    assert (offer.contact_cost, offer.incentive_share, offer.acceptance) == (1, 0.1, 0.3)
    assert offer.redemption_rate == 1


def test_an_incentive_in_money_takes_the_place_of_the_share() -> None:
    offer = BacktestSettings(incentive_cost=4, acceptance_rate=0.2).the_offer()

    assert (offer.incentive_cost, offer.incentive_share, offer.acceptance) == (4, None, 0.2)


def test_an_offer_of_a_file_is_named(offers: Path) -> None:
    assert BacktestSettings(offers=offers, offer="call").the_offer().contact_cost == 3

    with pytest.raises(StayworthError, match="has the offers voucher, call. Say which: --offer 'voucher'"):
        BacktestSettings(offers=offers).the_offer()


def test_an_offer_for_some_customers_only_is_not_made_to_all(offers: Path) -> None:
    offers.write_text(OFFERS + 'tiers = ["vip"]\n', encoding="utf-8")

    with pytest.raises(StayworthError, match="'call' is for some customers only .value_tier."):
        BacktestSettings(offers=offers, offer="call").the_offer()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"offers": "offers.toml", "contact_cost": 1}, "not both: contact_cost"),
        ({"offer": "call"}, "give --offers offers.toml"),
        ({"incentive_cost": 1, "incentive_share": 0.1}, "--incentive-cost .* or --incentive-share"),
    ],
)
def test_an_offer_is_given_in_one_way(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        BacktestSettings.model_validate(given)


@pytest.mark.slow
def test_the_command_prints_the_account_and_writes_it(
    shop_log: TransactionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = shop_log.table.to_pandas()
    table = table.assign(ordered_at=table["ordered_on"], amount=table["amount_cents"] / 100)
    table[["customer_id", "ordered_at", "amount"]].to_csv("orders.csv", index=False)
    app = typer.Typer()
    app.command()(backtest)
    arguments = (
        "--transactions orders.csv --horizon-days 60 --snapshots 1 --contact-cost 0.5 --out account.csv"
    )

    done = CliRunner().invoke(app, arguments.split())

    assert done.exit_code == 0, done.output
    for title in ("Realised profit at each snapshot", "The average snapshot", "Profit measures per customer"):
        assert title in done.output
    assert "On average the champion's plan earned" in done.output
    assert "Note: nobody was contacted." in done.output
    written = pd.read_csv("account.csv")
    assert written["policy"].tolist() == [*POLICIES, *POLICIES]
    assert written["profit"].iloc[0] == 0

    told = json.loads(CliRunner().invoke(app, [*arguments.split(), "--json"]).stdout)

    assert (told["horizon_days"], told["offer"]["contact_cost"]) == (60, 0.5)
    assert [row["policy"] for row in told["profits"]] == written["policy"].tolist()
    assert [row["profit"] for row in told["profits"]] == pytest.approx(written["profit"].tolist())
    assert told["verdict"].startswith("On average the champion's plan earned")
