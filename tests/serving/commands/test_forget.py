"""``stayworth forget``: where a customer was, and that nothing of them is left."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.log.parts import LogParts, kept_parts
from features.table_files import write_csv
from serving.cli import app
from training.campaign.assignment import read_assignment

pytestmark = pytest.mark.slow

OFFERS = '[[offers]]\nname = "voucher"\ncontact_cost = 0.5\nincentive_share = 0.1\nacceptance_rate = 0.3\n'


def stayworth(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def shop(tmp_path: Path, orders: pa.Table, registry_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a published list, a campaign, and a quarantine file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_STORE", raising=False)
    monkeypatch.setenv("STAYWORTH_TRACKING_URI", f"sqlite:///{registry_file}")
    # Ids that no number looks like.
    ids = pc.binary_join_element_wise("customer", orders["customer_id"].cast(pa.string()), "-")
    names = ["Customer ID", *orders.column_names[1:]]
    write_csv(orders.set_column(0, "customer_id", ids).rename_columns(names), tmp_path / "orders.csv")
    (tmp_path / "offers.toml").write_text(OFFERS)
    scored = stayworth(
        *("score", "--transactions", "orders.csv", "--customer-column", "Customer ID", "--publish"),
        *("--out", "scored.parquet", "--drop-identical", "--quarantine", "quarantine.csv"),
    )
    assert scored.exit_code == 0, scored.output
    planned = stayworth(
        *("plan", "--scores", "scored.parquet", "--offers", "offers.toml", "--out", "campaign"),
        *("--max-contacts", "100", "--holdout", "0.3"),
    )
    assert planned.exit_code == 0, planned.output
    return tmp_path


def test_a_customer_is_erased_everywhere_and_the_campaign_still_adds_up(shop: Path) -> None:
    before = read_assignment(shop / "campaign")
    contacted, held_out = (
        before.customers.loc[before.customers["contacted"] == group, "customer_id"].iloc[0]
        for group in (True, False)
    )
    (shop / "stop.csv").write_text(f'customer_id\n"{held_out}"\n')
    write_csv(pa.table({"customer_id": ["17", held_out]}), shop / "suppress.csv")

    done = stayworth(
        *("forget", contacted, "--from", "stop.csv", "--in", "campaign", "--in", "suppress.csv"),
        *("--in", "quarantine.csv", "--in", "scored.parquet", "--in", "orders.csv"),
        *("--customer-column", "Customer ID", "--receipt", "receipt.json"),
    )

    assert done.exit_code == 0, done.output
    again = json.loads(stayworth("forget", contacted, "--in", "campaign", "--dry-run", "--json").stdout)
    assert (again["customers"], [place["rows"] for place in again["places"]].count(0)) == (
        1,
        len(again["places"]),
    )
    (shop / "stop.csv").unlink()
    for file in (path for path in shop.rglob("*") if path.is_file()):
        assert contacted.encode() not in file.read_bytes(), file
        assert held_out.encode() not in file.read_bytes(), file
    receipt = json.loads((shop / "receipt.json").read_text())
    assert receipt["customers"] == 2
    assert {Path(place["name"]).name: place["rows"] for place in receipt["places"]}.items() >= {
        ("list.csv", 1),
        ("holdout.csv", 1),
        ("scored.parquet", 2),
        ("stayworth.db", 2),
        ("suppress.csv", 1),
    }
    after = read_assignment(shop / "campaign")
    assert after.record.counts == before.record.counts
    assert (after.record.erased.contacted, after.record.erased.held_out, after.notes) == (1, 1, ())


def test_a_dry_run_finds_and_removes_nothing(shop: Path) -> None:
    customer = read_assignment(shop / "campaign").customers["customer_id"].iloc[0]

    dry = stayworth("forget", customer, "--in", "campaign", "--dry-run", "--receipt", "receipt.json")
    again = stayworth("forget", customer, "--in", "campaign", "--dry-run")

    assert dry.exit_code == 0, dry.output
    assert "Rows found" in dry.output and dry.output == again.output
    assert not (shop / "receipt.json").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Whom? Give ids"),
        (["17", "--in", "nowhere"], "There is no nowhere."),
        (["17", "--in", "offers.csv"], "offers.csv has no column of customer ids"),
    ],
)
def test_a_mistake_is_one_line_and_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "offers.csv").write_text("name,cost\nvoucher,1\n")

    result = stayworth("forget", *arguments)

    assert result.exit_code == 2
    assert complaint in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["offers.csv"]


def test_the_parts_of_a_log_that_the_config_file_names_are_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_STORE", raising=False)
    (tmp_path / "stayworth.toml").write_text(
        '[log]\ntransactions = "orders.csv"\nparts = "parts"\n[columns]\ncustomer_column = "Kunde"\n'
    )
    for night in ("january.csv", "february.csv"):
        parts = LogParts(tmp_path / "parts", night)
        parts.joined(pa.table({"Kunde": ["00017", "00018", "00017"], "amount": ["10", "11", "12"]}))
        parts.keep()

    erased = stayworth("forget", "00017", "--json")
    again = stayworth("forget", "00017", "--json")

    counts = [[place["rows"] for place in json.loads(each.stdout)["places"]] for each in (erased, again)]
    assert counts == [[0, 2, 2], [0, 0, 0]]  # the store, and two parts
    left = [pq.read_table(file)["Kunde"].to_pylist() for file in kept_parts(tmp_path / "parts")]
    assert left == [["00018"], ["00018"]]
