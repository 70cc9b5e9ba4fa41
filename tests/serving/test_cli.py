"""The ``stayworth`` command, from help to a list with contacts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from features.datasets import cdnow_sample
from features.errors import DeliveryError
from features.log.findings import StrictError
from features.log.settings import Columns
from features.log.sources import read_table
from features.log.validation import validate
from features.table_files import write_csv
from serving.cli import app
from serving.commands.run import _EXIT_CODES
from serving.commands.serve import NOT_READY
from serving.lists.id_length import ID_LENGTH
from serving.settings import ServeSettings
from training.commands.monitor import DUE
from training.commands.train import NOT_DUE, STAYED
from training.model.score_schema import SCORE_COLUMNS
from training.pipeline import train
from training.registration import register
from training.settings import TrainSettings
from training.versions.registry import Registry

pytestmark = pytest.mark.slow

HEAVY = {
    *("alembic", "bentoml", "duckdb", "lifetimes", "lightgbm", "limits", "matplotlib", "mlflow", "pandas"),
    *("pyarrow", "sklearn", "sqlalchemy"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the orders of CDNOW's sample, and a champion trained on them."""
    folder = tmp_path_factory.mktemp("shop")
    orders = cdnow_sample().select(["customer_id", "ordered_at", "amount"])
    write_csv(orders, folder / "orders.csv")
    settings = TrainSettings(promote=True, snapshots=3, threads=1)
    log = validate(orders)
    register(train(log, settings), log, settings, Registry(f"sqlite:///{folder.as_posix()}/mlflow.db"))
    return folder


@pytest.fixture
def here(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; the champion is that of the shop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_TRACKING_URI", f"sqlite:///{shop.as_posix()}/mlflow.db")
    (tmp_path / "orders.csv").symlink_to(shop / "orders.csv")
    return tmp_path


def stayworth(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def score(*arguments: object) -> Result:
    return stayworth("score", "--transactions", "orders.csv", *arguments)


def test_the_list_holds_every_customer_most_value_at_risk_first_the_dormant_last(here: Path) -> None:
    result = score("--out", "list.csv", "--unscored", "unscored.csv")

    assert result.exit_code == 0, result.output
    listed = read_table(here / "list.csv")
    assert tuple(listed.columns) == (*SCORE_COLUMNS, ID_LENGTH)  # of the sample, ids have zeros before them
    assert len(listed) == 2357  # the sample's customers, all of whom have bought
    silent = (pd.Timestamp(1998, 7, 1) - pd.to_datetime(listed["last_purchase_date"])).dt.days
    dormant = silent > pd.to_numeric(listed["dormant_after_days"])
    assert dormant.is_monotonic_increasing and 0 < dormant.sum() < len(listed)
    at_risk = pd.to_numeric(listed["value_at_risk"])
    assert all(part.is_monotonic_decreasing for _, part in at_risk.groupby(dormant))
    assert at_risk[dormant].iloc[0] > at_risk[~dormant].iloc[0] / 10
    assert " ".join(["dormant, after the others", f"{dormant.sum():,}"]) in " ".join(result.stdout.split())
    assert set(listed["snapshot_date"]) == {"1998-07-01"}  # the day after the last order
    assert set(listed["customer_id"].str.len()) == {4}  # leading zeros
    assert len(read_table(here / "unscored.csv")) == 0


def test_a_list_without_reasons_has_every_other_cell(here: Path) -> None:
    results = score("--out", "list.csv"), score("--out", "bare.csv", "--without-reasons")

    assert [result.exit_code for result in results] == [0, 0]
    whole, bare = read_table(here / "list.csv"), read_table(here / "bare.csv")
    assert set(bare["reasons"]) == {""}
    assert bare.drop(columns="reasons").equals(whole.drop(columns="reasons"))


def test_the_summary_adds_up(here: Path) -> None:
    result = score("--out", "list.csv", "--snapshot-date", "1997-03-01")

    assert result.exit_code == 0, result.output
    counts: dict[str, int] = {}
    for words in (line.split() for line in result.stdout.splitlines()):
        number = next((place for place, word in enumerate(words) if word.replace(",", "").isdigit()), None)
        if number:
            counts[" ".join(words[:number])] = int(words[number].replace(",", ""))
    assert counts["rows in"] == 6919
    assert counts["rows in"] == counts["used"] + counts["quarantined"] + counts["not yet visible"]
    assert counts["in the log"] == 2357 == counts["scored"] + counts["unscored"]
    assert counts["in the list"] == counts["scored"] == len(read_table(here / "list.csv"))


def test_a_script_is_told_where_every_row_and_customer_went(here: Path) -> None:
    told = json.loads(score("--out", "list.csv", "--top", 10, "--json").stdout)

    assert told["rows"] == {"in": 6919, "used": 6919, "quarantined": {}, "not_yet_visible": 0}
    assert (told["scored"], told["unscored"], told["listed"], told["dormant"]) == (2357, {}, 10, 0)
    assert (told["snapshot_date"], told["model_version"], told["published_in"]) == ("1998-07-01", "1", None)


def test_a_card_tells_of_a_customer_what_the_list_and_the_files_say(here: Path) -> None:
    score("--out", "list.csv")
    row = pd.read_csv(here / "list.csv", dtype={"customer_id": str}).iloc[0]
    name = row["customer_id"]
    (here / "touchpoints.csv").write_text(
        f"customer_id,occurred_at,touchpoint\n{name},1998-06-20,complaint\nzoe,1998-06-21,complaint\n"
    )
    (here / "receivables.csv").write_text(
        f"customer_id,issued_at,due_at,amount\n{name},1998-05-01,1998-06-01,20.5\nzoe,1998-05-01,1998-06-01,9\n"
    )
    flags = ("--touchpoints", "touchpoints.csv", "--receivables", "receivables.csv")

    card = stayworth("card-of", name.lstrip("0"), "--transactions", "orders.csv", *flags)
    told = json.loads(stayworth("card-of", name, "--transactions", "orders.csv", *flags, "--json").stdout)
    nobody = stayworth("card-of", "nobody", "--transactions", "orders.csv")

    assert name in card.stdout.splitlines()
    assert [f"- {sentence}" for sentence in told["sentences"]] == [
        line for line in card.stdout.splitlines() if line.startswith("- ")
    ]
    assert told["churn_probability"] == pytest.approx(row["churn_probability"], rel=1e-6)
    assert told["expected_value"] == pytest.approx(row["expected_value"], rel=1e-6)
    assert (told["complaints"]["number"], told["debt"]["overdue_amount"]) == (1, 20.5)
    assert nobody.exit_code == 2
    assert "No customer of the log is called 'nobody'." in nobody.output


def test_several_ids_of_a_customer_are_scored_as_one(here: Path) -> None:
    lines = (here / "orders.csv").read_text().splitlines(keepends=True)
    own = lines[1].split(",")[0]
    turned = [
        line.replace(own, "web-7", 1) if line.startswith(f"{own},") and number % 2 else line
        for number, line in enumerate(lines[1:])
    ]
    (here / "two.csv").write_text("".join([lines[0], *turned]))
    (here / "identities.csv").write_text(f"alias_id,customer_id\nweb-7,{own}\nnobody,{own}\n")

    result = stayworth(
        *("score", "--transactions", "two.csv", "--identities", "identities.csv", "--out", "one.csv")
    )
    score("--out", "list.csv")

    assert "1 of 2 aliases of identities.csv are in the log; they count as their customers." in result.output
    assert "web-7" in (here / "two.csv").read_text()
    assert (here / "one.csv").read_bytes() == (here / "list.csv").read_bytes()


def test_another_shop_s_log_and_a_part_of_the_own_are_not_scored_in_silence(here: Path) -> None:
    lines = (here / "orders.csv").read_text().splitlines(keepends=True)
    for name, kept in {
        "part.csv": [line for line in lines[1:] if line.split(",")[1] >= "1997-09-01"],
        "other.csv": [line.replace("199", "200") for line in lines[1:]],
    }.items():
        (here / name).write_text("".join([lines[0], *kept]))

        result = stayworth("score", "--transactions", name, "--out", "list.csv")
        strict = stayworth("score", "--transactions", name, "--out", "list.csv", "--strict")

        said = " ".join(result.output.split())
        assert "Before 1998-07-01 the log has" in said and "version 1 learnt from 6,919." in said
        assert (result.exit_code, strict.exit_code) == (0, 3)


def test_a_date_before_the_first_order_makes_no_empty_list(here: Path) -> None:
    result = score("--out", "list.csv", "--snapshot-date", "1997-01-01")

    assert result.exit_code == 2
    assert "No order lies before 1997-01-01. Use --snapshot-date 1997-01-02 or later." in result.output
    assert not (here / "list.csv").exists()


def test_the_three_formats_hold_the_same_list(here: Path) -> None:
    for name in ("list.csv", "list.xlsx", "list.parquet"):
        assert score("--out", name, "--top", 50, "--columns", "all").exit_code == 0

    csv, xlsx, parquet = (read_table(here / f"list.{kind}") for kind in ("csv", "xlsx", "parquet"))
    for column in ("customer_id", "value_tier", "model_version"):
        assert list(csv[column]) == list(xlsx[column]) == list(parquet[column])
    assert (
        list(csv["reasons"])
        == list(xlsx["reasons"])
        == ["; ".join(reasons) for reasons in parquet["reasons"]]
    )
    for column in ("churn_probability", "expected_value", "value_at_risk"):
        assert [float(cell) for cell in csv[column]] == list(parquet[column])  # to the last digit


def test_top_and_min_value_keep_the_head_of_the_list(here: Path) -> None:
    assert score("--out", "all.csv").exit_code == 0
    assert score("--out", "top.csv", "--top", 10).exit_code == 0
    everyone = read_table(here / "all.csv")
    tenth = everyone["value_at_risk"][9]

    assert score("--out", "worth.csv", "--min-value", tenth).exit_code == 0

    assert read_table(here / "top.csv").equals(everyone.head(10))
    worth = everyone[pd.to_numeric(everyone["value_at_risk"]) >= float(tenth)]
    assert read_table(here / "worth.csv").equals(worth.reset_index(drop=True))


def test_a_least_value_that_is_no_number_is_refused(here: Path) -> None:
    refused = score("--out", "worth.csv", "--min-value", "nan")

    assert refused.exit_code == 2
    assert "--min-value" in refused.output and "finite number" in refused.output


def test_contacts_are_added_to_the_list_and_counted(here: Path) -> None:
    (here / "crm.csv").write_text("customer_id,name\n0001,آرش\n9999,nobody\n", encoding="utf-8")

    result = score("--out", "list.csv", "--customers", "crm.csv", "--excel")

    assert result.exit_code == 0, result.output
    listed = read_table(here / "list.csv")
    assert tuple(listed.columns) == (*SCORE_COLUMNS, "name", ID_LENGTH)
    assert list(listed["name"][listed["customer_id"] == "0001"]) == ["آرش"]
    assert (here / "list.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "of 2 in crm.csv" in result.stdout


def test_the_settings_may_come_from_the_file(here: Path) -> None:
    (here / "stayworth.toml").write_text(
        '[log]\ntransactions = "orders.csv"\n[score]\nout = "list.csv"\ntop = 3\nsnapshot_date = 1998-01-01\n'
    )

    assert stayworth("score", "--top", 5).exit_code == 0

    listed = read_table(here / "list.csv")
    assert len(listed) == 5
    assert set(listed["snapshot_date"]) == {"1998-01-01"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--out", "list.txt"), "name it .csv, .parquet or .xlsx"),
        (("--out", "no/list.csv"), "the folder no does not exist"),
        (("--out", "list.csv", "--unscored", "no/list.csv"), "the folder no does not exist"),
        (("--out", "list.csv", "--customers", "no.csv"), "There is no file no.csv in "),
        (("--out", "list.csv", "--customers", "clash.csv"), "both have 'reasons'"),
        (("--out", "list.csv", "--snapshot-date", "2998-01-01"), "lies in the future"),
        (
            ("--out", "list.csv", "--timezone", "Asia/Tehran"),
            "in the time zone 'Asia/Tehran', in the log that version 1 learnt from 'UTC'. Use --timezone 'UTC'",
        ),
        (
            ("--out", "list.csv", "--where", "amount <> '0'"),
            "those where \"amount <> '0'\", in the log that version 1 learnt from as they stand. Leave --where out",
        ),
        (("--out", "list.csv", "--tracking-uri", "sqlite:///no.db"), "No model has the alias 'champion'"),
        (("--out", "list.csv", "--top", "0"), "--top: has to be at least 1, not 0"),
        ((), "--out is missing"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    here: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    (here / "clash.csv").write_text("customer_id,reasons\n0001,none\n")

    result = score(*arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr.splitlines()[-1]
    assert sorted(os.listdir(here)) == ["clash.csv", "orders.csv"]


def test_the_printed_config_gives_the_defaults_and_is_accepted(here: Path) -> None:
    result = stayworth("config")

    content = tomllib.loads(result.stdout)
    assert list(content) == [
        *(
            "log",
            "columns",
            "advise",
            "train",
            "costs",
            "behaviour",
            "features",
            "registry",
            "monitor",
            "engine",
            "score",
            "store",
            "money",
            "serve",
            "workbench",
            "webhook",
            "report",
            "plan",
            "measure",
        ),
        *("backtest", "tournament", "alerts", "sync", "card_of"),
    ]
    assert TrainSettings.model_validate(content["train"]) == TrainSettings()
    assert ServeSettings.model_validate(content["serve"]) == ServeSettings()
    assert Columns.model_validate(content["columns"]) == Columns()
    (here / "stayworth.toml").write_text(result.stdout)
    assert "is missing" in stayworth("score").stderr  # and no complaint about the file


@pytest.mark.parametrize(("package", "flags"), [("features", ("--out", "x.csv")), ("training", ())])
def test_a_package_that_runs_alone_accepts_the_whole_printed_config(
    here: Path, package: str, flags: tuple[str, ...]
) -> None:
    (here / "stayworth.toml").write_text(stayworth("config").stdout)

    command = [sys.executable, "-m", package, "--transactions", "none.csv", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "There is no file none.csv" in done.stderr


@pytest.mark.parametrize(
    ("section", "line", "goes"),
    [
        ("train", "tracking_uri = 'sqlite:///team.db'", "tracking_uri in [registry]"),
        ("monitor", "tracking_uri = 'sqlite:///team.db'", "tracking_uri in [registry]"),
        ("score", "store = 'sqlite:///scores.db'", "uri in [store]"),
        ("keys", "store = 'sqlite:///scores.db'", "uri in [store]"),
    ],
)
def test_an_address_where_earlier_releases_had_it_is_refused_with_its_new_place(
    here: Path, section: str, line: str, goes: str
) -> None:
    (here / "stayworth.toml").write_text(f"[{section}]\n{line}\n")

    result = stayworth("models")

    assert result.exit_code == 2
    key = line.partition(" ")[0]
    assert result.stderr == (
        f"Error: stayworth.toml: {key} is no longer a key of [{section}]. All commands share it now: write it once, "
        f"as {goes}.\n"
    )


def test_every_command_teaches_with_an_example() -> None:
    for command in ("demo", "features", "train", "score", "serve", "config"):
        shown = stayworth(command, "--help")

        assert shown.exit_code == 0, command
        assert f"stayworth {command}" in " ".join(shown.stdout.split()), command


def test_the_version_is_that_of_the_package() -> None:
    assert stayworth("--version").stdout == f"stayworth {version('stayworth')}\n"


def test_a_mistyped_command_is_met_with_the_nearest() -> None:
    result = stayworth("scroe")

    assert result.exit_code == 2
    assert "Did you mean 'score'" in " ".join(result.stderr.split())


def test_help_loads_nothing_heavy() -> None:
    program = f"import sys, serving.cli; print(sorted({HEAVY} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


OWN_CODES = {
    "monitor": {DUE},
    "status": {NOT_READY},
    "train": {STAYED, NOT_DUE},
    "run": set(_EXIT_CODES.values()) - {0},
}


def test_every_command_says_its_exit_codes() -> None:
    for name, command in _commands(get_command(app)):
        flags = {flag for parameter in command.params for flag in parameter.opts}
        codes = OWN_CODES.get(name, set()) | {0}
        codes |= {StrictError.exit_code} if "--strict" in flags else set()
        codes |= {DeliveryError.exit_code} if name in ("alerts", "sync") else set()

        _, said, rest = f"{command.help} {command.epilog or ''}".partition("Exit codes: ")

        assert said, name
        assert codes <= set(map(int, re.findall(r"(?<![-\w])[0-9]\b", rest))), name


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{name} ")
        else:
            yield before + name, command
