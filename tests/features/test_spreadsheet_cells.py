"""No text is run as a formula by a spreadsheet, and each can be read back to the letter."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from features.spreadsheet_cells import bare_cells, safe_cells


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", "-", "+A1"])
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == ["'" + text]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("Ann;=1+1", "Ann;'=1+1"),
        ('Ann; "=1+1"', 'Ann; "\'=1+1"'),
        ("Ann\n@SUM(A1)", "Ann\n'@SUM(A1)"),
        ("a;-1;+1", "a;'-1;'+1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_no_cell_within_a_text_is_run_by_a_spreadsheet_that_separates_by_semicolons(
    text: str, guarded: str
) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == [guarded]


@pytest.mark.parametrize("text", ["-17", "+989121234567", "-0.5", "0042", "", "a=1", "'tis", "آرش"])
def test_a_plain_number_or_harmless_text_stays_as_it_is(text: str) -> None:
    assert safe_cells(pa.array([text])).to_pylist() == [text]


@given(st.lists(st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝0.1,;\"x "), max_size=6)))
def test_every_text_survives_guarding_to_the_letter(texts: list[str]) -> None:
    cells = pa.array(texts, pa.string())

    assert bare_cells(safe_cells(cells)).to_pylist() == texts
