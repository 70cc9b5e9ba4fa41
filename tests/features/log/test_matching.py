import pandas as pd
import pytest
from hypothesis import given, strategies as st

from features.log.identity import fold, loose, read_ids
from features.log.matching import MatchError, match_ids, require_match

KNOWN = [f"{number:05d}" for number in range(1, 101)]  # 00001 to 00100


def match(given, **options):
    return require_match(match_ids(given, KNOWN), "opt-outs", "the list", flag="--loose-ids", **options)


@pytest.mark.parametrize(
    ("given", "explanation"),
    [
        (["1", "2", "3"], "without leading zeros"),
        (["'00001", "'00002"], "without an apostrophe before them"),
        (["00001.0", "00002.0"], "without .0"),
        (["00\u200b001", "\u206600002\u2069"], "without spaces and invisible characters"),
        (["0000\u00a01"], "without spaces and invisible characters"),
        (["۰۰۰۰۱", "００００２"], "written alike in case, width, digits and ی"),
        (["1.0", "'2"], "loosely: without case, spaces, apostrophes, .0 and leading zeros"),
    ],
)
def test_ids_that_match_nobody_are_refused_with_the_likeliest_explanation(given, explanation):
    with pytest.raises(MatchError) as caught:
        match(given)

    assert f"0 of {len(given)} opt-outs are in the list. {len(given)} more would match {explanation}" in str(
        caught.value
    )
    assert "--loose-ids matches them so" in str(caught.value)
    assert set(match_ids(given, KNOWN, loosely=True).matched) <= set(KNOWN[:3])
    assert len(match_ids(given, KNOWN, loosely=True).matched) == len(given)


def test_ids_in_another_case_are_explained():
    found = match_ids(["ANN@X.ORG"], ["ann@x.org", "bob@x.org"])

    assert (found.missed, found.explanation) == (1, "in lower case")


def test_a_match_of_nobody_may_be_allowed_and_is_still_said():
    assert match(["x"], allow_unmatched=True) == ["Warning: 0 of 1 opt-outs are in the list."]


def test_a_few_opt_outs_that_would_match_otherwise_are_refused_too():
    half = ["00001", "00002", "3", "4"]

    with pytest.raises(
        MatchError, match="2 of 4 opt-outs .* 2 more would match without leading zeros: '3', '4'"
    ):
        match(half, all_that_are_meant=True)
    assert match(half)[0].startswith("Warning: 2 of 4")


def test_opt_outs_that_are_nowhere_in_the_list_are_no_fault():
    assert match(["00001", "00002", "99999"], all_that_are_meant=True) == ["2 of 3 opt-outs are in the list."]


def test_an_empty_file_names_nobody_and_is_said():
    assert match([]) == ["Warning: There are no opt-outs: the file holds no ids."]


def test_an_id_to_the_letter_is_never_taken_loosely():
    found = match_ids(["17", "0017", "A"], ["17", "0017", "a"], loosely=True)

    assert found.pairs == {"17": "17", "0017": "0017", "A": "a"}


def test_an_id_that_may_be_two_customers_is_refused():
    with pytest.raises(MatchError, match="'017' may be '17' or '0017'"):
        match_ids(["017"], ["17", "0017"], loosely=True)


def test_ids_are_read_alike_whatever_type_they_were_kept_in():
    for column in (
        pd.Series([17.0, None, 18.0]),
        pd.Series([17, None, 18], dtype="Int64"),
        pd.Series(["17", "", "18 "]),
        pd.Series([17, "NULL", "18"], dtype=object),
    ):
        assert read_ids(column).to_pylist() == ["17", None, "18"]


def test_folding_keeps_what_may_tell_customers_apart():
    assert fold("017") != fold("17") and fold("17.5") == "17.5" and fold("a-1") != fold("a1")
    assert fold("Ali Kāshī") == fold("ALI KĀSHĪ") and fold("كريم") == fold("کریم")
    assert loose("000") == "0" and loose("'17.0") == "17"


@given(
    st.lists(st.text("0aA17.' ‏ی۱", min_size=1, max_size=5), min_size=1, max_size=4),
    st.text("0aA17. ی", min_size=1),
)
def test_what_is_said_to_match_otherwise_is_what_is_then_matched(ids, known):
    found = match_ids(ids, [known])

    assert found.missed + len(found.pairs) <= len(match_ids(ids, [known], loosely=True).pairs)
