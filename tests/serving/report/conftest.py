"""A shop with every file that a report reads, and its reports in each language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from serving.campaign.folder import write_campaign
from serving.commands.report import report
from training.campaign.plan import CampaignPlan, plan
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

FIRST, DAYS, CUSTOMERS, ORDERS = date(2022, 1, 10), 900, 150, 1_500
CHANNELS = ["اینستاگرام", "web"]


@dataclass(frozen=True)
class Shop:
    """A folder of files, and the flags that name them."""

    folder: Path
    flags: dict[str, str]

    def report(self, out: Path, flags: Iterable[str], *others: str) -> str:
        """Write a report of some of the files; return what the command prints."""
        app = typer.Typer()
        app.command()(report)
        named = [part for flag in flags for part in (flag, str(self.folder / self.flags[flag]))]
        result = CliRunner().invoke(app, [*named, "--out", str(out), *others])
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two years and a half of a shop that has two channels, one of a Persian name, and pays in rials."""
    folder = tmp_path_factory.mktemp("shop")
    draw = np.random.default_rng(1)

    def days(count: int) -> list[date]:
        return [FIRST + timedelta(days=int(day)) for day in draw.integers(0, DAYS, count)]

    def customers(count: int) -> np.ndarray:
        return names[draw.integers(0, CUSTOMERS, count)]

    names = np.array([f"c{number:03}" for number in range(CUSTOMERS)])
    everyone = pd.DataFrame({"customer_id": names})
    amounts = draw.integers(100, 3_000, ORDERS) * 10_000
    months = pd.period_range("2022-01", "2024-06", freq="M").astype(str)
    tables = {
        "transactions": pd.DataFrame(
            {
                "customer_id": customers(ORDERS),
                "ordered_at": days(ORDERS),
                "amount": amounts,
                "margin": amounts * 0.3,
                "channel": draw.choice(CHANNELS, ORDERS),
                "currency": "IRR",
                "product_id": draw.choice([f"p{number}" for number in range(30)], ORDERS),
                "category": draw.choice(["چای", "cups", "pots"], ORDERS),
                "quantity": draw.integers(1, 4, ORDERS),
                "discount": amounts * draw.choice([0, 0, 0.25], ORDERS),
            }
        ),
        "customers": everyone.assign(
            city=draw.choice(["تهران", "Yazd", ""], CUSTOMERS),
            acquisition_channel=draw.choice(CHANNELS, CUSTOMERS),
        ),
        "spend": pd.DataFrame(
            {"channel": channel, "from": f"{month}-01", "to": f"{month}-28", "amount": 9_000_000}
            for month in months
            for channel in (*CHANNELS, "billboard")
        ),
        "scores": everyone.assign(expected_value=draw.normal(5_000_000, 4_000_000, CUSTOMERS).round()),
        "earlier-scores": everyone.assign(
            snapshot_date="2023-06-01", expected_value=1, value_tier=draw.choice(["vip", "low"], CUSTOMERS)
        ),
        "targets": pd.DataFrame(
            {
                "indicator": ["churn_rate", "churn_rate", "end", "end"],
                "period": ["2024-03", "2024-04", "2024-05", "2030-01"],
                "target": [0.01, 0.9, 5, 1],
            }
        ),
        "surveys": pd.DataFrame(
            {
                "customer_id": customers(400),
                "answered_at": days(400),
                "kind": "nps",
                "score": draw.integers(0, 11, 400),
            }
        ),
        "leads": pd.DataFrame(
            {"lead_id": np.arange(200), "created_at": days(200), "channel": draw.choice(CHANNELS, 200)}
        ),
        "referrals": pd.DataFrame(
            {
                "referrer_id": names[40:80],
                "referred_id": names[:40],
                "referred_at": FIRST,
                "reward": 100_000,
            }
        ),
        "touchpoints": pd.DataFrame(
            {
                "customer_id": customers(800),
                "occurred_at": days(800),
                "touchpoint": draw.choice(["تماس تلفنی", "visit", "chat"], 800),
                "quantity": 1,
            }
        ),
        "receivables": _receivables(customers(300), days(300), draw),
        "deflator": pd.DataFrame({"month": months, "index": 100 * 1.02 ** np.arange(len(months))}),
        "identities": pd.DataFrame({"alias_id": ["old-1", "nobody"], "customer_id": ["c001", "c001"]}),
    }
    tables["transactions"].loc[::50, "customer_id"] = "old-1"
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    costs = "".join(
        f'[[touchpoints]]\ntouchpoint = "{name}"\nunit_cost = {cost}\n'
        for name, cost in (("تماس تلفنی", 50_000), ("visit", 400_000), ("fax", 1))
    )
    costs += "".join(
        f'[[pools]]\npool = "support"\nmonth = "{month}"\ncost = 2000000\ndriver = "orders"\n'
        for month in months
    )
    (folder / "costs.toml").write_text(costs, encoding="utf-8")
    (folder / "campaigns").mkdir()
    write_campaign(_plan(names, draw), folder / "campaigns" / "spring")
    flags = {f"--{name}": f"{name}.csv" for name in tables} | {
        "--costs": "costs.toml",
        "--campaigns": "campaigns",
    }
    return Shop(folder, flags)


def _plan(names: np.ndarray, draw: np.random.Generator) -> CampaignPlan:
    """A campaign of a voucher, planned in spring 2024."""
    stake = draw.lognormal(14, 1, len(names))
    scores = pd.DataFrame(
        {
            "customer_id": names,
            "snapshot_date": "2024-04-01",
            "churn_probability": draw.beta(3, 2, len(names)),
            "expected_value": 2 * stake,
            "value_at_stake": stake,
            "spend_per_purchase": stake,
            "last_purchase_date": "2024-03-01",
            "horizon_days": 60,
            "margin": 0.3,
        }
    )
    voucher = Offer(name="voucher", contact_cost=1_000, incentive_cost=50_000, acceptance_rate=0.4)
    return plan(scores, [voucher], PlanTerms(seed=1))


def _receivables(customers: np.ndarray, issued: list[date], draw: np.random.Generator) -> pd.DataFrame:
    """Bills of which a third is not paid, and a tenth of those written off."""
    rows = pd.DataFrame({"customer_id": customers, "issued_at": issued, "amount": 2_000_000})
    rows["due_at"] = rows["issued_at"] + timedelta(days=30)
    open_ones = draw.random(len(rows)) < 1 / 3
    rows["paid_at"] = (rows["issued_at"] + timedelta(days=40)).where(~open_ones)
    rows["paid_amount"] = rows["amount"].where(~open_ones)
    written_off = open_ones & (draw.random(len(rows)) < 1 / 10)
    return rows.assign(written_off_at=(rows["issued_at"] + timedelta(days=200)).where(written_off))


@pytest.fixture(scope="session")
def shop_folder(shop: Shop) -> Path:
    return shop.folder


@pytest.fixture(scope="session")
def shop_flags(shop: Shop) -> set[str]:
    return set(shop.flags)


@pytest.fixture(scope="session")
def shop_report(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of the shop's report in a language, of every file there is."""

    @cache
    def made(language: str) -> Path:
        out = tmp_path_factory.mktemp(language) / "report"
        flags = ("--language", language, "--segment", "city", "--xlsx", "--money-unit", "toman")
        shop.report(out, shop.flags, *flags)
        return out

    return made


@pytest.fixture(scope="session")
def shop_alone(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of the shop's report in a language, of the log alone, in Jalali months."""

    @cache
    def made(language: str) -> Path:
        out = tmp_path_factory.mktemp(language) / "report"
        shop.report(out, ["--transactions"], "--language", language, "--calendar", "jalali")
        return out

    return made


@pytest.fixture
def shop_said(shop: Shop, tmp_path: Path) -> Callable[[str], str]:
    """Return what the command prints in a language, of the log alone."""
    return lambda language: shop.report(tmp_path / "report", ["--transactions"], "--language", language)
