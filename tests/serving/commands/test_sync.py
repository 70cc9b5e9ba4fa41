"""``stayworth sync``: who joined an audience and who left it, told to a webhook or written to a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner, Result

from features.address import with_driver
from serving.audience.table import sync_table
from serving.commands.forget import forget
from serving.commands.sync import sync
from serving.lists.export import write_table
from serving.store.store import Store
from training.campaign.plan import plan
from training.campaign.running import standing_holdout
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

app = typer.Typer()
for command in (sync, forget):
    app.command()(command)

ScoredList = Callable[..., pd.DataFrame]
IDS = [f"c{number:02d}" for number in range(40)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored_list: ScoredList) -> Path:
    """Forty customers, the even ones vip."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_STORE", "sqlite:///stayworth.db")
    monkeypatch.setenv("STAYWORTH_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    write_list(scored_list, IDS)
    return tmp_path


def write_list(scored_list: ScoredList, names: list[str]) -> None:
    tiers = ["vip" if int(each[1:]) % 2 == 0 else "low" for each in names]
    scores = scored_list(names, value_tier=tiers, value_at_stake=100.0, last_purchase_date=date(1998, 6, 1))
    write_table(scores.assign(email=[f"{each}@example.com" for each in names]), "scored.csv")


def run(*arguments: object) -> Result:
    flags = ("sync", "--audience", "loyal", "--list", "scored.csv", *arguments)
    return CliRunner().invoke(app, [str(each) for each in flags])


def to_webhook(receiver: Any, *arguments: object) -> Result:
    return run("--webhook", receiver.url, "--webhook-retry-seconds", 0, *arguments)


def members(receiver: Any) -> set[str]:
    """Who is in the audience, for a receiver that does what it is told."""
    found: set[str] = set()
    for _, _, data in receiver.taken:
        found -= {each["customer_id"] for each in data["left"]}
        found |= {each["customer_id"] for each in data["joined"]}
    return found


def test_a_webhook_is_told_who_joined_and_who_left_since_the_last_time(
    receiver: Any, scored_list: ScoredList
) -> None:
    first = to_webhook(receiver, "--tier", "vip")
    again = to_webhook(receiver, "--tier", "vip")
    write_list(scored_list, [*IDS[2:], "c40"])
    changed = to_webhook(receiver, "--tier", "vip")

    assert (first.exit_code, again.exit_code, changed.exit_code) == (0, 0, 0), first.output
    assert "loyal: 20 customers; 20 joined, 0 left" in first.stdout
    assert "0 joined, 0 left" in again.stdout
    assert "loyal: 20 customers; 1 joined, 1 left" in changed.stdout
    assert [kind for _, kind, _ in receiver.taken] == ["audience.changed"] * 2
    assert receiver.taken[1][2] == {
        "audience": "loyal",
        "part": 1,
        "parts": 1,
        "left": [{"customer_id": "c00"}],
        "joined": [{"customer_id": "c40", "email": "c40@example.com", "value_tier": "vip"}],
        "changed": [],
    }


def test_a_webhook_is_told_of_members_whose_contact_or_segment_has_changed(receiver: Any) -> None:
    vips = ("--segment", "value_tier=vip", "--segment", "value_tier=low")
    to_webhook(receiver, *vips)
    moved = pd.read_csv("scored.csv", dtype=str).set_index("customer_id", drop=False)
    moved.loc["c01", "email"] = "new@example.com"
    moved.loc["c02", "value_tier"] = "low"
    moved.loc["c03", "churn_probability"] = "0.9"  # which nobody was told
    write_table(moved, "scored.csv")

    result = to_webhook(receiver, *vips)
    again = to_webhook(receiver, *vips)

    assert "0 joined, 0 left" in result.stdout
    assert "Of 2 members something else is told than before" in result.stdout
    assert receiver.taken[-1][2]["changed"] == [
        {"customer_id": "c01", "email": "new@example.com", "value_tier": "low"},
        {"customer_id": "c02", "email": "c02@example.com", "value_tier": "low"},
    ]
    assert "Of 0 members" in again.stdout
    assert len(receiver.taken) == 2


def test_members_whom_an_earlier_release_told_of_are_not_told_again(receiver: Any) -> None:
    to_webhook(receiver)
    (kept,) = Path("stayworth-delivered").glob("*.outbox.json")
    box = json.loads(kept.read_text())
    box["state"]["members"] = [each["customer_id"] for each in box["state"]["members"]]
    kept.write_text(json.dumps(box))

    result = to_webhook(receiver)

    assert result.exit_code == 0, result.output
    assert len(receiver.taken) == 1
    assert "told" in json.loads(kept.read_text())["state"]["members"][0]


def test_what_is_printed_can_be_persian() -> None:
    result = run("--database", "sqlite:///marketing.db", "--language", "fa")

    assert result.exit_code == 0, result.output
    assert "مشتری" in result.stdout
    assert "joined" not in result.stdout


def test_a_list_that_breaks_off_in_the_middle_is_whole_after_the_next_run(
    receiver: Any, scored_list: ScoredList
) -> None:
    names = [f"c{number:04d}" for number in range(1200)]
    write_list(scored_list, names)
    receiver.answers = [200, 500]

    failed = to_webhook(receiver)
    write_list(scored_list, names[1:])  # who had joined in the part that was taken leaves meanwhile
    done = to_webhook(receiver)

    assert failed.exit_code == 4
    assert "answers 500. Of 3 messages it took 1; 2 are kept in" in failed.stderr
    assert done.exit_code == 0
    assert members(receiver) == set(names[1:])
    assert receiver.asked[1][0] == receiver.asked[2][0]
    assert [len(data["joined"]) for _, _, data in receiver.taken] == [500, 500, 200, 0]


def test_the_held_out_of_campaigns_and_who_asked_for_it_are_never_in_an_audience(
    receiver: Any, scored_list: ScoredList
) -> None:
    to_webhook(receiver)
    scores = scored_list(
        IDS, churn_probability=0.9, value_at_stake=100.0, last_purchase_date=date(1998, 6, 1)
    )
    offer = Offer(name="gift", incentive_cost=1, acceptance_rate=0.5)
    terms = PlanTerms(holdout=0.5, seed=3, standing_holdout=0.1)
    write_folder(plan(scores, [offer], terms))
    held = set(pd.read_csv("spring/holdout.csv")["customer_id"])
    standing = {each for each, out in zip(IDS, standing_holdout(IDS, 0.1), strict=True) if out}
    Path("optouts.csv").write_text("customer_id\nc01\n")

    result = to_webhook(receiver, "--suppress", "optouts.csv", "--json")

    assert result.exit_code == 0, result.output
    assert len(held) > 5
    assert len(standing) > 0
    assert members(receiver) == set(IDS) - held - standing - {"c01"}
    assert json.loads(result.stdout)["left"] == len(held | standing | {"c01"})


def test_the_list_of_a_campaign_is_an_audience_with_its_offers(
    receiver: Any, scored_list: ScoredList
) -> None:
    scores = scored_list(
        IDS, churn_probability=0.9, value_at_stake=100.0, last_purchase_date=date(1998, 6, 1)
    )
    made = plan(scores, [Offer(name="gift", incentive_cost=1, acceptance_rate=0.5)], PlanTerms(holdout=0.5))
    write_folder(made)

    result = to_webhook(receiver, "--list", "spring/list.csv")

    assert result.exit_code == 0, result.output
    assert members(receiver) == set(made.contacted["customer_id"])
    assert {each["offer"] for each in receiver.taken[0][2]["joined"]} == {"gift"}


def write_folder(made: Any) -> None:
    """Write the lists and the record of a campaign, without its page, whose pictures take their time."""
    from training.campaign.assignment import CONTACT_LIST, HOLDOUT_LIST, LIST_COLUMNS
    from training.campaign.record import PLAN, record_of, write_record

    spring = Path("spring")
    spring.mkdir()
    for name, rows in ((CONTACT_LIST, made.contacted), (HOLDOUT_LIST, made.held_out)):
        write_table(rows[list(LIST_COLUMNS)], spring / name)
    write_record(record_of(made), spring / PLAN)


def rows_of(audience: str) -> list[str]:
    engine = sa.create_engine("sqlite:///marketing.db")
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT customer_id FROM stayworth_audiences WHERE audience = :name ORDER BY 1"),
            {"name": audience},
        )
        ids = [row[0] for row in found]
    engine.dispose()
    return ids


def test_a_table_changes_as_the_list_does_and_keeps_other_audiences(scored_list: ScoredList) -> None:
    database = ("--database", "sqlite:///marketing.db")
    first = run(*database)
    other = run(*database, "--audience", "vip", "--tier", "vip")
    write_list(scored_list, [*IDS[1:], "c40"])
    changed = run(*database)

    assert (first.exit_code, other.exit_code) == (0, 0), first.output
    assert "1 joined, 1 left" in changed.stdout
    assert rows_of("loyal") == [*IDS[1:], "c40"]
    assert rows_of("vip") == IDS[::2]


def test_a_table_that_cannot_be_written_is_as_it_was_and_complete_with_the_next_run(
    scored_list: ScoredList,
) -> None:
    run("--database", "sqlite:///marketing.db")
    engine = sa.create_engine("sqlite:///marketing.db")
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON stayworth_audiences "
                "BEGIN SELECT RAISE(ABORT, 'no space'); END"
            )
        )
    write_list(scored_list, [*IDS[1:], "c40"])

    failed = run("--database", "sqlite:///marketing.db")
    half = rows_of("loyal")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER full_disk"))
    engine.dispose()
    done = run("--database", "sqlite:///marketing.db")

    assert failed.exit_code == 4
    assert "cannot be written: no space. Nothing has changed; the next run does it." in failed.stderr
    assert half == IDS  # who left was deleted before, in the same transaction
    assert done.exit_code == 0
    assert rows_of("loyal") == [*IDS[1:], "c40"]


def test_a_table_of_postgresql_changes_as_one_of_sqlite(postgres_uri: str) -> None:
    first = sync_table(postgres_uri, "audiences_of_a_test", "loyal", ["b", "a"])
    second = sync_table(postgres_uri, "audiences_of_a_test", "loyal", ["b", "c"])

    assert (first.joined, first.left) == (("a", "b"), ())
    assert (second.joined, second.left) == (("c",), ("a",))
    engine = sa.create_engine(with_driver(sa.make_url(postgres_uri)))
    with engine.begin() as connection:
        kept = (
            connection.execute(sa.text("SELECT customer_id FROM audiences_of_a_test ORDER BY 1"))
            .scalars()
            .all()
        )
        connection.execute(sa.text("DROP TABLE audiences_of_a_test"))
    engine.dispose()
    assert kept == ["b", "c"]


def test_a_database_that_is_not_there_is_said_without_its_password() -> None:
    result = run("--database", "postgresql://crm:s3cret@127.0.0.1:9/marketing")

    assert result.exit_code == 4
    assert (
        "The table stayworth_audiences in postgresql://crm:***@127.0.0.1:9/marketing cannot be written"
        in (" ".join(result.stderr.split()))
    )
    assert "s3cret" not in result.output


def test_who_is_forgotten_is_kept_in_no_outbox(receiver: Any) -> None:
    to_webhook(receiver)

    done = CliRunner().invoke(app, ["forget", "c00"])

    assert done.exit_code == 0, done.output
    (kept,) = Path("stayworth-delivered").glob("*.outbox.json")
    assert "c00" not in kept.read_text(encoding="utf-8")
    assert "c01" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Give --webhook URL or --database URI, one of the two"),
        (("--database", "mysql://me:pw@host/db"), "is to be sqlite:///file.db or postgresql://"),
        (
            ("--database", "sqlite:///m.db", "--tier", "vipp"),
            "No customer in scored.csv has 'vipp' under value_tier",
        ),
        (("--database", "sqlite:///m.db", "--segment", "city"), "is no column=value, such as city=Yazd"),
        (("--database", "sqlite:///m.db", "--segment", "city=Yazd"), "has no column 'city'"),
        (("--database", "sqlite:///m.db", "--table", "x; drop"), "--table"),
        (
            ("--database", "sqlite:///stayworth.db", "--table", "api_keys"),
            "The table api_keys is another one",
        ),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], complaint: str) -> None:
    with Store("sqlite:///stayworth.db") as store:
        store.keys.add("crm", scopes=["lookup"])

    result = run(*arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert "pw" not in result.output
