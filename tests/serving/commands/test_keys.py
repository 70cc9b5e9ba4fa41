"""``stayworth keys`` and ``stayworth score --publish``."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from features.log.sources import read_table
from features.table_files import write_csv
from serving.cli import app
from serving.store.store import Store
from training.model.score_schema import SCORE_COLUMNS


def stayworth(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAYWORTH_STORE", raising=False)
    return tmp_path


@pytest.fixture
def shop(here: Path, orders: pa.Table, registry_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, whose champion is that of the tests."""
    monkeypatch.setenv("STAYWORTH_TRACKING_URI", f"sqlite:///{registry_file}")
    write_csv(orders, here / "orders.csv")
    return here


def test_a_key_is_printed_alone_so_that_a_script_can_keep_it(here: Path) -> None:
    result = stayworth("keys", "add", "crm-1", "--scope", "lookup", "--max-body-mb", "0.5")

    assert result.exit_code == 0, result.output
    key = result.stdout.removesuffix("\n")
    assert "shown only now" in result.stderr and key not in result.stderr
    (found,) = Store("sqlite:///stayworth.db").keys.all()
    assert found.digest == sha256(key.encode()).hexdigest()
    assert (found.scopes, found.max_body_bytes) == (frozenset({"lookup"}), 524_288)


def test_keys_are_listed_and_revoked(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAYWORTH_STORE", "sqlite:///keys.db")
    key = stayworth("keys", "add", "crm-1", "--rate-limit", "600/minute").stdout.strip()
    stayworth("keys", "add", "crm-2", "--scope", "score", "--scope", "lookup")

    revoked = stayworth("keys", "revoke", "crm-2")
    listed = stayworth("keys", "list")

    assert revoked.stdout == "The key of crm-2 is revoked.\n"
    assert listed.exit_code == 0, listed.output
    title, _, first, second = listed.stdout.splitlines()
    assert title == "API keys in sqlite:///keys.db"
    assert first.split()[:4] == ["crm-1", "lookup,", "score", "600/minute"]
    assert len(second.split()) == len(first.split()) + 1  # revoked: date and time, and no rate limit
    assert key not in listed.stdout
    names = [
        (each["name"], each["rate_limit"]) for each in json.loads(stayworth("keys", "list", "--json").stdout)
    ]
    assert names == [("crm-1", "600/minute"), ("crm-2", None)]
    assert sorted(os.listdir(here)) == ["keys.db"]


def test_listing_no_keys_makes_no_store(here: Path) -> None:
    result = stayworth("keys", "list")

    assert result.stdout.startswith("There is no key in sqlite:///stayworth.db yet.")
    assert os.listdir(here) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("add", "crm-1", "--scope", "admin"), "A key's scopes are of erase, lookup, score"),
        (("add", "crm-1", "--rate-limit", "often"), "'often' is no rate limit"),
        (("add", "crm-1", "--rate-limit", "0/minute"), "'0/minute' is no rate limit"),
        (("add", "crm-1", "--max-body-mb", "nan"), "--max-body-mb: between 0 and 1,024, not nan"),
        (("add", "crm-1", "--store", "redis://x"), "Write sqlite:///stayworth.db or postgresql://"),
        (("revoke", "crm-1"), "no active key named crm-1"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_store(
    here: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    result = stayworth("keys", *arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr.splitlines()[-1]
    assert os.listdir(here) == []


def test_a_list_is_published_whole_whatever_the_file_holds(shop: Path) -> None:
    result = stayworth(
        *("score", "--transactions", "orders.csv", "--publish"),
        *("--store", "sqlite:///store.db", "--out", "top.parquet", "--top", 10),
    )

    assert result.exit_code == 0, result.output
    listed = pd.read_parquet(shop / "top.parquet")
    with Store("sqlite:///store.db") as store:
        publication = store.newest()
        assert publication is not None
        assert f"{publication.customers:,} customers published in sqlite:///store.db" in result.stdout
        assert "10 customers in top.parquet" in result.stdout
        assert publication.customers > len(listed) == 10
        found = store.lookup(list(listed["customer_id"])).scores
    for score, row in zip(found, listed.to_dict("records"), strict=True):
        expected = {name: row[name] for name in SCORE_COLUMNS}
        assert score == expected | {"reasons": list(expected["reasons"])}  # to the last digit


def test_a_list_that_lost_many_customers_is_published_on_request_only(shop: Path) -> None:
    whole = ("score", "--publish", "--transactions")
    assert stayworth(*whole, "orders.csv").exit_code == 0
    lines = (shop / "orders.csv").read_text().splitlines(keepends=True)
    (shop / "half.csv").write_text("".join([lines[0], *lines[1 : len(lines) // 2]]))

    refused = stayworth(*whole, "half.csv")
    accepted = stayworth(*whole, "half.csv", "--shrink")

    assert refused.exit_code == 2
    assert "the published one of 1998-07-01 has 2,357: the others would have no score" in refused.stderr
    assert "If it is meant: --shrink." in refused.stderr
    assert accepted.exit_code == 0, accepted.output


def test_a_list_of_an_earlier_day_is_published_on_request_only(shop: Path) -> None:
    publish = ("score", "--transactions", "orders.csv", "--publish")
    earlier = (*publish, "--snapshot-date", "1998-04-01")
    assert stayworth(*publish).exit_code == 0

    refused = stayworth(*earlier)
    again = stayworth(*publish)
    accepted = stayworth(*earlier, "--older")

    assert refused.exit_code == 2
    assert "The list is of 1998-04-01, the published one of 1998-07-01: older scores would" in refused.stderr
    assert "If it is meant: --older." in refused.stderr
    assert again.exit_code == 0, again.output  # of the same day
    assert accepted.exit_code == 0, accepted.output


def test_a_list_may_be_published_and_nothing_written(shop: Path) -> None:
    for _ in range(3):
        result = stayworth("score", "--transactions", "orders.csv", "--publish", "--keep-sets", 1)
        assert result.exit_code == 0, result.output

    assert "Publishing" in result.stderr
    assert "None" not in result.stdout
    assert sorted(os.listdir(shop)) == ["orders.csv", "stayworth.db"]


@pytest.mark.parametrize(
    ("store", "complaint"),
    [
        ("sqlite:///no/store.db", "/no does not exist. Create it first."),
        ("postgresql://crm:s3cret@127.0.0.1:1/scores", "Connection refused"),
        ("sqlite:///orders.csv", "file is not a database"),
    ],
)
def test_a_store_that_cannot_be_written_is_told_before_the_work(
    shop: Path, store: str, complaint: str
) -> None:
    result = stayworth("score", "--transactions", "nothing.csv", "--publish", "--store", store)

    assert result.exit_code == 2
    assert complaint in result.stderr.splitlines()[-1]
    assert "s3cret" not in result.output
    assert sorted(os.listdir(shop)) == ["orders.csv"]
    assert read_table(shop / "orders.csv").columns[0] == "customer_id"  # and it is as it was


def test_a_full_disk_is_told_and_leaves_the_published_list(shop: Path, small_disk: Path) -> None:
    uri = f"sqlite:///{small_disk}/store.db"
    publish = ("score", "--transactions", "orders.csv", "--publish", "--store", uri)
    assert stayworth(*publish).exit_code == 0
    with Store(uri) as store:
        old = store.newest()
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(b"0" * 4096):
                pass

        result = stayworth(*publish)

        assert result.exit_code == 2
        assert f"Error: The disk of the store {uri} is full." in result.stderr.splitlines()[-1]
        assert old is not None and store.newest() == old

        ballast.unlink()

        assert stayworth(*publish).exit_code == 0
        assert store.newest() != old
