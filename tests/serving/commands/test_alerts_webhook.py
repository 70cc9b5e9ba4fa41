"""``stayworth alerts --webhook``: each alert told once, and its end, whatever the webhook does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from serving.commands.alerts import alerts, snooze
from serving.commands.forget import forget
from serving.delivery.outbox import SUFFIX, Outbox, outbox_path
from serving.delivery.signature import SigningKey
from serving.lists.export import write_table

app = typer.Typer()
for command in (alerts, snooze, forget):
    app.command()(command)

ScoredList = Callable[..., pd.DataFrame]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
JULY = date(1998, 7, 1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored_list: ScoredList, receiver: Any) -> Path:
    """Four customers are lapsing: ann, bob, cid and dan, of falling value."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_STORE", "sqlite:///stayworth.db")
    monkeypatch.setenv("STAYWORTH_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("STAYWORTH_WEBHOOK", receiver.url)
    write_list(scored_list, JULY)
    return tmp_path


def write_list(scored_list: ScoredList, day: date, bought: tuple[str, ...] = ()) -> None:
    names = ["ann", "bob", "cid", "dan"]
    scores = scored_list(
        names,
        snapshot_date=day,
        churn_probability=0.5,
        value_at_stake=[400.0, 300.0, 200.0, 100.0],
        stage=["loyal" if each in bought else "lapsing" for each in names],
        last_purchase_date=[date(1998, 7, 2) if each in bought else date(1998, 5, 1) for each in names],
    )
    write_table(scores, "scored.csv")


def run(*arguments: object) -> Result:
    flags = ("alerts", "--scores", "scored.csv", "--out", "alerts.csv", "--webhook-retry-seconds", 0)
    return CliRunner().invoke(app, [str(each) for each in (*flags, *arguments)])


def customers(receiver: Any) -> list[str]:
    return [data["customer_id"] for _, kind, data in receiver.taken if kind == "alert.opened"]


def test_an_alert_is_told_once_by_a_signed_message(receiver: Any, scored_list: ScoredList) -> None:
    first = run()
    write_list(scored_list, JULY + timedelta(days=1))
    second = run()

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "4 messages delivered to http://127.0.0.1:" in first.output
    assert "0 messages delivered" in second.output
    assert customers(receiver) == ["ann", "bob", "cid", "dan"]
    name, timestamp, signature, body = receiver.asked[0]
    assert signature == SigningKey(SECRET).sign(name, timestamp, body)
    told = json.loads(body)
    assert (told["type"], told["timestamp"], name) == (
        "alert.opened",
        "1998-07-01",
        f"alert_{told['data']['alert_id']}",
    )
    assert told["data"] | {"alert_id": ""} == {
        "alert_id": "",
        "customer_id": "ann",
        "kind": "overdue",
        "since": "1998-07-01",
        "reason": "Overdue: no purchase for 61 days.",
        "value_at_risk": 200.0,
        "offer": "call",
        "expected_profit": None,
    }


def test_a_webhook_that_answers_500_in_the_middle_loses_nothing(receiver: Any) -> None:
    receiver.answers = [200, 200, 500]

    first = run()
    second = run()

    assert first.exit_code == 4
    assert "answers 500. Of 4 messages it took 2; 2 are kept in " in first.stderr
    assert second.exit_code == 0
    assert customers(receiver) == ["ann", "bob", "cid", "dan"]
    assert receiver.asked[2][0] == receiver.asked[3][0]  # the same message, by its id
    assert receiver.asked[2][3] == receiver.asked[3][3]  # and to the letter


def test_what_fails_for_a_moment_is_tried_again_in_the_same_run(receiver: Any) -> None:
    receiver.answers = [503, 429]

    result = run("--webhook-retry-seconds", 20)

    assert result.exit_code == 0, result.output
    assert len({name for name, *_ in receiver.asked[:3]}) == 1
    assert customers(receiver) == ["ann", "bob", "cid", "dan"]


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ([0.3], "is too slow: no answer in time"),
        ([301], "answers 301. It has moved: give its new address"),
        ([401], "answers 401. Is the address right, and does it know the secret?"),
    ],
)
def test_a_webhook_that_is_slow_moved_or_closed_to_us_gets_all_with_the_next_run(
    receiver: Any, answers: list[int | float], complaint: str
) -> None:
    receiver.answers = answers

    failed = run("--webhook-timeout-seconds", 0.1)

    assert failed.exit_code == 4
    assert complaint in failed.stderr
    assert "hidden" not in failed.output  # what stands behind the host may be a secret
    assert len(pd.read_csv("alerts.csv")) == 4
    assert run().exit_code == 0
    assert set(customers(receiver)) == {"ann", "bob", "cid", "dan"}


def test_a_webhook_that_is_down_is_said_so_and_nothing_is_lost(receiver: Any) -> None:
    down = run("--webhook", "http://127.0.0.1:9/hook")

    assert down.exit_code == 4
    assert "http://127.0.0.1:9 gives no answer (ConnectError). Of 4 messages it took 0" in down.stderr


def test_a_message_that_is_refused_waits_and_keeps_none_of_the_others(receiver: Any) -> None:
    receiver.answers = [200, 422]

    first = run()

    assert first.exit_code == 4
    assert "Of 4 messages it took 3; 1 are kept" in first.stderr
    assert customers(receiver) == ["ann", "cid", "dan"]
    assert run().exit_code == 0
    assert customers(receiver)[-1] == "bob"


def test_a_snoozed_alert_is_told_again_when_it_is_heard_and_its_end_when_its_customer_buys(
    receiver: Any, scored_list: ScoredList
) -> None:
    run()
    ids = pd.read_csv("alerts.csv").set_index("customer_id")["alert_id"]
    for name in ("ann", "bob"):
        run_snooze = CliRunner().invoke(app, ["snooze", ids[name], "--until", "1998-07-03"])
        assert run_snooze.exit_code == 0
    write_list(scored_list, JULY + timedelta(days=1))
    run()
    write_list(scored_list, JULY + timedelta(days=3), bought=("ann", "cid"))
    run()

    told = [(name, kind) for name, kind, _ in receiver.taken[4:]]
    assert told == [
        (f"alert_{ids['bob']}_2", "alert.woken"),
        *sorted([(f"alert_{ids[name]}_closed", "alert.closed") for name in ("ann", "cid")]),
    ]


def test_a_message_that_was_taken_and_could_not_be_noted_is_sent_again_with_its_id(receiver: Any) -> None:
    noted = outbox_path(Path("stayworth-delivered"), "alerts", "", receiver.url)
    journal = noted.with_name(noted.name.replace(SUFFIX, ".sent"))
    receiver.meanwhile = journal.mkdir  # as a disk that fails, or a run that is killed between the two

    failed = run()
    journal.rmdir()

    assert failed.exit_code == 1
    assert run().exit_code == 0
    assert customers(receiver) == ["ann", "ann", "bob", "cid", "dan"]
    assert receiver.asked[0][0] == receiver.asked[1][0]


def test_who_asks_to_be_forgotten_is_told_to_nobody_any_more(receiver: Any) -> None:
    receiver.answers = [500]
    run()

    done = CliRunner().invoke(app, ["forget", "ann"])

    assert done.exit_code == 0, done.output
    assert run().exit_code == 0
    assert "ann" not in customers(receiver)[:3]


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"STAYWORTH_WEBHOOK_SECRET": ""}, "there is no secret to do it with. Make one"),
        (
            {"STAYWORTH_WEBHOOK_SECRET": "hunter2"},
            "The secret of the webhook is not whsec_ and 24 to 64 bytes",
        ),
        ({"STAYWORTH_WEBHOOK": "ftp://example.com"}, "address is to be like https://example.com/hook"),
        ({"STAYWORTH_WEBHOOK": "https://me:pw@example.com"}, "without a user or password in it"),
    ],
)
def test_a_mistake_is_said_before_anything_is_done(
    receiver: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = run()

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert not any(value in result.output for value in ("hunter2", "me:pw"))
    assert not Path("alerts.csv").exists()


def test_of_two_runs_at_a_time_the_second_says_so(receiver: Any) -> None:
    run()
    (path,) = Path("stayworth-delivered").glob("*.outbox.json")

    with Outbox.opened(path):
        result = run()

    assert result.exit_code == 2
    assert "Another run delivers to the same receiver just now" in result.stderr
