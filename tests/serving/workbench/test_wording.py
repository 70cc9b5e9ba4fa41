"""The browser says what to do there: no sentence names a flag of a command that somebody at a page cannot type."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.errors import StoreError
from features.language import placeholders, saying_instead, translated, use_language
from features.retelling import retold_text
from serving.store.store import Store
from serving.workbench.new_orders import NewOrders
from serving.workbench.wording import IN_BROWSER

ROOT = Path(__file__).resolve().parents[3]
_MARKED = re.compile(r"\{\{ terminal\(\"[^\"]*\"\) \}\}")
FLAG = re.compile(r"(?<![\w-])--[a-z]|\{flag\}")
OF_TERMINALS = re.compile(r"\{(?:uri|store|address)\}|\bstayworth [a-z]+ (?:[a-z]+|--|VERSION)")
SAID_AT_TERMINALS = {
    "serving/store/database.py": "whether a list can be published",
    "serving/store/keys.py": "keys of the service",
    "serving/store/users.py": "who may sign in",
    "training/versions/run_record.py": "scheduled runs",
}
"""Modules whose errors about an address or a command nobody meets in the browser, and what they are about."""

READ_IN_BROWSER = (
    "serving/workbench",
    "serving/campaign",
    "serving/lists",
    "serving/audience",
    "training/campaign",
)
OF_COMMANDS = {
    "training/campaign/settings.py": "terms of a command",
    "training/campaign/candidates.py": "lists of a file: those of the store are whole",
    "training/campaign/exclusions.py": "a page has no cooldown",
    "training/campaign/resumption.py": "the wizard asks for no resumption",
    "training/campaign/outcomes.py": "a page measures to the log's end",
    "training/campaign/plan.py": "the wizard asks for a share, not for an effect",
    "training/campaign/assignment.py": "damaged folders",
    "serving/campaign/ledger.py": "folders",
    "serving/campaign/running_campaigns.py": "folders",
    "serving/campaign/list_file.py": "lists of a file",
    "serving/campaign/published_list.py": "lists of a file",
    "serving/audience/settings.py": "the command sync",
    "serving/audience/table.py": "the command sync",
    "serving/lists/list_table.py": "a command that writes to a database",
    "serving/lists/contacts.py": "its flag is what a page calls the control",
    "serving/workbench/wording.py": "the sentences of commands themselves",
}
"""Modules whose flags nobody meets in the browser, and why."""


def sentences(path: Path) -> Iterator[str]:
    """Yield the English sentences that a module says."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("translated", "translatable"):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def named(sentence: str) -> set[str]:
    return {each[1] for each in placeholders(sentence) if each[1]}


def test_no_sentence_that_is_read_in_the_browser_names_a_flag() -> None:
    met = [
        (str(path.relative_to(ROOT)), sentence)
        for folder in READ_IN_BROWSER
        for path in sorted((ROOT / folder).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in OF_COMMANDS
        for sentence in sentences(path)
        if FLAG.search(sentence)
    ]

    assert [each for each in met if each[1] not in IN_BROWSER] == []
    assert len(met) > 5
    templates = ROOT / "serving" / "workbench" / "templates"
    # But the commands of a colleague, which are marked as such.
    pages = {
        path.name: _MARKED.sub("", path.read_text(encoding="utf-8")) for path in templates.glob("*.html")
    }
    assert [name for name, text in pages.items() if FLAG.search(text)] == []


def test_no_sentence_about_the_registry_or_the_store_has_its_address_or_a_shell_command() -> None:
    met = [
        (str(path.relative_to(ROOT)), sentence)
        for folder in ("training/versions", "training/model", "serving/store")
        for path in sorted((ROOT / folder).glob("*.py"))
        if str(path.relative_to(ROOT)) not in SAID_AT_TERMINALS
        for sentence in sentences(path)
        if OF_TERMINALS.search(sentence)
    ]

    assert [each for each in met if each[1] not in IN_BROWSER] == []
    assert len(met) > 10


@pytest.mark.parametrize(("of_command", "of_page"), IN_BROWSER.items())
def test_what_a_page_says_instead_names_no_flag_and_takes_the_same_values(
    of_command: str, of_page: str
) -> None:
    folders = (
        "training/campaign",
        "serving/campaign",
        "serving/lists",
        "features/economics",
        "features/log",
        "serving/delivery",
        "serving/store",
        "training/model",
        "training/versions",
    )
    said = {each for folder in folders for path in (ROOT / folder).glob("*.py") for each in sentences(path)}

    assert of_command in said
    assert not FLAG.search(of_page)
    assert not OF_TERMINALS.search(of_page)
    assert named(of_page) <= named(of_command)


KEPT = (
    *("training/campaign/measurement.py", "training/campaign/acceptance.py", "features/log/matching.py"),
    *(
        "serving/campaign/customer_files.py",
        "serving/campaign/meant_rows.py",
        "serving/workbench/draft_files.py",
    ),
    *("features/log/history_checks.py", "serving/delivery/webhook.py"),
)
"""Modules whose sentences a store keeps as they were said, of a measurement, of a draft's files and of a webhook."""
_EXAMPLES = {"date": "1998-09-29", "span": 63, "": "Ali & Söhne", "digits": "7", "label": "1998-09"}


@pytest.mark.parametrize(
    "sentence", sorted({each for path in KEPT for each in sentences(ROOT / path) if each.endswith(".")})
)
def test_what_is_kept_in_one_language_is_retold_in_the_other(sentence: str) -> None:
    values = {
        name: _EXAMPLES.get(shape, 5 if "%" not in shape else 0.5)
        for _, name, shape, _ in placeholders(sentence)
        if name
    }
    english = translated(sentence, **values)
    with use_language("fa"):
        persian = translated(sentence, **values)
        told = retold_text(english)

    assert (told, retold_text(persian)) == (persian, english)


def test_a_log_with_a_finding_is_used_if_its_control_says_so(tmp_path: Path) -> None:
    rows = [f"c{number % 40},2026-0{1 + number % 6}-1{number % 9},10" for number in range(80)]
    odd = [f"c{number},soon,10" for number in range(30)]
    log = tmp_path / "orders.csv"
    log.write_text("\n".join(["customer_id,ordered_at,amount", *rows, *odd]), encoding="utf-8")

    with pytest.raises(ValueError, match="set a tick at “use it”") as refused:
        NewOrders().read(log, control="use it")
    orders, said = NewOrders().read(log, whatever=True)

    assert "--accept" not in str(refused.value)
    assert len(orders.table) == 80 and any("30" in each for each in said)


def test_a_long_note_is_retold_sentence_by_sentence() -> None:
    kept = sorted({each for path in KEPT for each in sentences(ROOT / path) if each.endswith(".")})
    plain = [each for each in kept if not {shape for _, name, shape, _ in placeholders(each) if name}][:8]
    assert len(plain) >= 3

    with use_language("fa"):
        persian = " ".join(map(translated, plain))
        told = retold_text(" ".join(plain))

    assert (told, retold_text(persian)) == (persian, " ".join(plain))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            "Its server does not answer just now. Nothing was changed: load the page again when it is back.",
        ),
        ("fa", "سرور آن اکنون پاسخ نمی‌دهد. چیزی تغییر نکرد: وقتی بازگشت صفحه را دوباره باز کنید."),
    ],
)
def test_a_server_that_is_away_is_said_without_its_drivers_words(language: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = Store(f"postgresql://crm:s3cret@127.0.0.1:{port}/scores")

    with use_language(language), saying_instead(IN_BROWSER), pytest.raises(StoreError) as away:
        store.newest()
    with pytest.raises(StoreError, match="cannot be reached: connection .*refused"):
        store.newest()

    assert str(away.value) == words
