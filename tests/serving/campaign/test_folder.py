"""The folder of a campaign: what stands in it, and how it is read back."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from features.errors import OutputError
from features.language import use_language
from features.log.sources import read_table
from serving.campaign.folder import write_campaign
from serving.campaign.reader_lists import ReaderLists
from serving.campaign.summary import render_summary
from serving.lists.contacts import Contacts
from training.campaign.assignment import read_assignment
from training.campaign.plan import CampaignPlan, plan
from training.campaign.record import CampaignError, CampaignRecord, InputFile, record_of
from training.campaign.settings import PlanTerms
from training.offers.offers import BetaPrior, Offer

VOUCHER = Offer(
    name="voucher", contact_cost=0.1, incentive_cost=5, acceptance_rate=BetaPrior(alpha=6, beta=14)
)
CALL = Offer(
    name="call", channel="phone", contact_cost=4, incentive_share=0.2, acceptance_rate=0.4, capacity=50
)


def scored(n: int, seed: int = 0) -> pd.DataFrame:
    """A scored list as 'stayworth score' writes it, ids with leading zeros."""
    rng = np.random.default_rng(seed)
    churn, rate, spend = rng.beta(3, 2, n), rng.gamma(1.2, 1.2, n) + 0.01, rng.lognormal(3.6, 0.8, n)
    stake = 0.3 * spend * rng.gamma(2, 1.2, n)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "snapshot_date": "2024-01-01",
            "churn_probability": churn,
            "expected_spend": rate * spend,
            "spend_per_purchase": spend,
            "expected_value": 2 * stake,
            "value_at_stake": stake,
            "value_tier": np.where(stake > 60, "high", "low"),
            "reasons": "long silence; few orders",
            "model_version": "3",
            "horizon_days": 60,
            "margin": 0.25,
            "last_purchase_date": "2023-11-20",
            "value_of_resumption": 0.4 * stake,
            "resumption": 0.5,
            "dormant_after_days": 120,
        }
    )


@pytest.fixture(scope="module")
def planned() -> CampaignPlan:
    return plan(scored(2000), [VOUCHER, CALL], PlanTerms(budget=900, max_contacts=400))


@pytest.fixture(scope="module")
def written(planned: CampaignPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plans") / "campaign"
    return write_campaign(
        planned, folder, excel=True, inputs={"scores": InputFile(file="scored.csv", sha256="0f")}
    )


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the campaign, to be spoilt."""
    return Path(shutil.copytree(written, tmp_path / "campaign"))


def test_ids_survive_the_folder_and_formulas_do_not(tmp_path: Path) -> None:
    scores = scored(60)
    strange = ["007", "a,b", "مشتری ۱", "=1+1", "@SUM(A1)"]
    scores.loc[: len(strange) - 1, "customer_id"] = strange
    scores.loc[: len(strange) - 1, ["churn_probability", "value_at_stake"]] = 0.9, 900.0

    folder = write_campaign(plan(scores, [VOUCHER], PlanTerms(holdout=0.1)), tmp_path / "campaign", xlsx=True)

    read = pd.concat([read_table(folder / "list.csv"), read_table(folder / "holdout.csv")])
    assert set(strange) <= set(read["customer_id"])
    raw = (folder / "list.csv").read_text(encoding="utf-8") + (folder / "holdout.csv").read_text(
        encoding="utf-8"
    )
    assert '"=1+1"' not in raw
    assert '"@SUM(A1)"' not in raw
    book = openpyxl.load_workbook(folder / "list.xlsx")
    assert {cell.data_type for cell in book.active["A"]} == {"s"}
    book.close()


def test_contacts_are_in_the_lists_of_those_to_contact_and_not_of_the_holdout(tmp_path: Path) -> None:
    planned = plan(scored(100), [VOUCHER, CALL], PlanTerms(holdout=0.1))
    crm = planned.chosen[["customer_id"]].assign(
        name="Ann", email=lambda each: each["customer_id"] + "@example.com"
    )
    crm.to_csv(tmp_path / "crm.csv", index=False)
    readers = ReaderLists(Contacts(tmp_path / "crm.csv"), "mailchimp", "EUR")

    folder = write_campaign(planned, tmp_path / "campaign", xlsx=True, readers=readers)

    contacted, held_out, sent = (
        read_table(folder / name) for name in ("list.csv", "holdout.csv", "list_mailchimp.csv")
    )
    assert contacted.columns[-2:].tolist() == ["name", "email"]
    assert "email" not in held_out
    by_mail = contacted[contacted["channel"].fillna("") != "phone"]
    assert 0 < len(by_mail) < len(contacted)  # who is to be called is in no list for e-mails
    assert sent["Email Address"].tolist() == [f"{each}@example.com" for each in by_mail["customer_id"]]
    assert set(sent["stayworth_offer"]) == {"voucher"}
    assert set(sent["stayworth_until"]) == {"2024-02-29"}  # the last of 60 days from 1 January
    sheet = openpyxl.load_workbook(folder / "list.xlsx").worksheets[0]
    assert [sheet["A2"].value, sheet["B2"].value, sheet["E1"].value] == [
        "Ann",
        contacted["email"][0],
        "Value at risk (EUR)",
    ]
    assert len(read_assignment(folder).customers) == len(planned.chosen)


def test_the_folder_tells_the_whole_plan(planned: CampaignPlan, folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    page = (folder / "summary.html").read_text(encoding="utf-8")
    assert names == {"list.csv", "holdout.csv", "not_selected.csv", "plan.json", "summary.html"}
    assert record["model_version"] == "3"
    assert record["counts"]["contacted"] == len(planned.contacted)
    assert record["experiment"]["minimum_detectable_effect"] == pytest.approx(planned.detectable_effect)
    assert record["allocation"]["budget_price"] >= 0
    assert record["inputs"] == {"scores": {"file": "scored.csv", "sha256": "0f"}}
    assert (record["horizon_days"], record["margin"]) == (60, 0.25)
    assert (record["dormant_after_days"], record["resumption"]) == (120, 0.5)
    assert record["expected"]["profit_by_resumption"]["0.5"] == pytest.approx(planned.expected_profit)
    assert "they buy once" in page
    assert sum(s["held_out"] for s in record["experiment"]["strata"]) == len(planned.held_out)
    assert page.count("<svg") == 3
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)  # nothing to load from elsewhere


def test_a_dollar_sign_in_an_offers_name_begins_no_formula(tmp_path: Path) -> None:
    name = r"5$ off, \frac$"
    offer = VOUCHER.model_copy(update={"name": name})

    folder = write_campaign(plan(scored(60), [offer], PlanTerms(holdout=0.1)), tmp_path / "campaign")

    assert name in (folder / "summary.html").read_text(encoding="utf-8")


def test_the_folder_is_for_its_owner_alone(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_plan_is_never_overwritten(planned: CampaignPlan, folder: Path) -> None:
    with pytest.raises(OutputError, match="exists already. A plan is never overwritten"):
        write_campaign(planned, folder)


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(scored(40), [VOUCHER])
    with pytest.raises(OutputError, match="does not exist"):
        write_campaign(planned, tmp_path / "none" / "campaign")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OutputError, match="No space left"):
        write_campaign(planned, tmp_path / "campaign")
    assert list(tmp_path.iterdir()) == []


def test_the_assignment_is_read_back_as_drawn(planned: CampaignPlan, folder: Path) -> None:
    read = read_assignment(folder)

    assert read.contacted() == set(planned.contacted["customer_id"])
    assert read.record.starts_on == date(2024, 1, 1)
    assert (read.record.horizon_days, read.record.margin) == (60, 0.25)
    assert read.record.terms == planned.terms
    assert read.offers["voucher"] == VOUCHER
    assert read.notes == ()
    stratum = read.customers.set_index("customer_id")["stratum"]
    assert (stratum == planned.chosen.set_index("customer_id")["stratum"].reindex(stratum.index)).all()


def test_a_customer_in_both_groups_is_refused(folder: Path) -> None:
    held = (folder / "holdout.csv").read_text(encoding="utf-8-sig").splitlines()
    with (folder / "list.csv").open("a", encoding="utf-8") as file:
        file.write(held[1] + "\n")

    with pytest.raises(CampaignError, match=r"1 customers are both in list.csv and in holdout.csv"):
        read_assignment(folder)


def test_a_holdout_that_lost_its_customers_is_refused(folder: Path) -> None:
    held = (folder / "holdout.csv").read_text(encoding="utf-8-sig").splitlines()
    (folder / "holdout.csv").write_text("\n".join(held[: len(held) // 3]) + "\n", encoding="utf-8")

    with pytest.raises(CampaignError, match="Chance does not explain that"):
        read_assignment(folder)


def test_a_list_saved_again_by_a_spreadsheet_is_still_the_list(planned: CampaignPlan, folder: Path) -> None:
    table = read_table(folder / "list.csv").head(-1)
    table.to_csv(folder / "list.csv", sep=";", index=False, encoding="utf-8-sig")

    read = read_assignment(folder)

    assert len(read.contacted()) == len(planned.contacted) - 1
    assert "Every customer drawn counts" in read.notes[0]


def test_a_plan_without_a_holdout_cannot_be_measured(tmp_path: Path) -> None:
    folder = write_campaign(plan(scored(100), [VOUCHER], PlanTerms(holdout=0)), tmp_path / "campaign")

    with pytest.raises(CampaignError, match="planned without a holdout"):
        read_assignment(folder)


def as_format_2(record: dict[str, Any]) -> dict[str, Any]:
    """The plan.json of before: nothing of the dormant, of resumption and of other campaigns."""
    old = {k: v for k, v in record.items() if k not in ("dormant_after_days", "resumption", "running")}
    later = (
        "explore",
        "dormant",
        "resumption",
        "hold_days",
        "recontact",
        "standing_holdout",
        "standing_seed",
    )
    old["terms"] = {name: value for name, value in record["terms"].items() if name not in later}
    old["expected"] = {k: v for k, v in record["expected"].items() if k != "profit_by_resumption"}
    old["counts"] = {name: value for name, value in record["counts"].items() if name != "explorers"}
    learnt = ("acceptance_by_silence", "acceptance_before")
    old["offers"] = [{k: v for k, v in offer.items() if k not in learnt} for offer in record["offers"]]
    return old | {"format": 2}


def as_format_1(record: dict[str, Any]) -> dict[str, Any]:
    """The first plan.json: horizon and margin among the terms, the price of the budget called lambda."""
    old = {name: value for name, value in as_format_2(record).items() if name != "margin"}
    old["terms"] = old["terms"] | {"horizon_days": record["horizon_days"], "margin": record["margin"]}
    prices = dict(record["allocation"])
    old["allocation"] = {"lambda": prices.pop("budget_price"), **prices}
    old["offers"] = [{k: v for k, v in offer.items() if v is not None} for offer in old["offers"]]
    return old | {"format": 1}


def test_a_record_survives_its_file(planned: CampaignPlan) -> None:
    record = record_of(planned)

    assert CampaignRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


@pytest.mark.parametrize("as_before", [as_format_1, as_format_2])
def test_a_plan_of_an_older_format_is_read_as_one_that_contacted_the_dormant(
    folder: Path, as_before: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    now = read_assignment(folder).record

    (folder / "plan.json").write_text(json.dumps(as_before(record)), encoding="utf-8")

    unstated = {"dormant_after_days": None, "resumption": None}
    assert read_assignment(folder).record == now.model_copy(
        update=unstated
        | {
            "terms": now.terms.model_copy(update={"dormant": True, "explore": 0.0}),
            "counts": now.counts.model_copy(update={"explorers": 0}),
            "expected": now.expected.model_copy(update={"profit_by_resumption": {}}),
        }
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda record: record | {"format": 4},
            "its format is 4, and this release reads the formats 1 to 3",
        ),
        (lambda record: record | {"horizon_days": 0}, "horizon_days: has to be at least 1"),
        (
            lambda record: {k: v for k, v in record.items() if k != "starts_on"},
            "starts_on: is missing",
        ),
        (lambda record: [record], "is not a plan of 'stayworth plan'"),
    ],
)
def test_a_plan_that_is_none_is_refused_in_a_sentence(
    folder: Path, spoil: Callable[[dict[str, Any]], object], message: str
) -> None:
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps(spoil(record)), encoding="utf-8")

    with pytest.raises(CampaignError, match=message):
        read_assignment(folder)


def test_a_plan_that_is_nested_without_end_is_refused_too(folder: Path) -> None:
    (folder / "plan.json").write_text("[" * 100_000, encoding="utf-8")

    with pytest.raises(CampaignError, match=r"plan\.json is not a plan .*: it is nested more than 100 deep"):
        read_assignment(folder)


def test_a_folder_without_a_plan_is_refused(folder: Path) -> None:
    (folder / "plan.json").unlink()

    with pytest.raises(CampaignError, match="Give the folder that 'stayworth plan' wrote"):
        read_assignment(folder)


@pytest.mark.slow
def test_the_summary_is_said_in_persian_from_right_to_left(planned: CampaignPlan) -> None:
    with use_language("fa"):
        page = render_summary(planned)

    assert '<html lang="fa" dir="rtl">' in page
    texts = re.sub(
        "<style.*?</style>|<defs>.*?</defs>|<metadata>.*?</metadata>|<!--.*?-->|<[^>]*>",
        " ",
        page,
        flags=re.S,
    )
    left = set(re.findall("[A-Za-z]+", re.sub("--[a-z]+", "", html.unescape(texts))))
    assert left <= {"voucher", "call", "phone"}  # the offers and their channel
    assert not re.search("[0-9]", re.sub("\u2068.*?\u2069", "", texts))
