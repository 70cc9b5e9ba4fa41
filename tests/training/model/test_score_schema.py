"""The columns of a score: read from the annotations of one class."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import get_type_hints

from training.model.score_schema import MODEL_COLUMNS, SCHEMA, SCORE_COLUMNS, Score, schema_markdown


def test_type_and_null_are_read_from_the_annotation() -> None:
    types = {name: (column.type, column.nullable) for name, column in SCHEMA.items()}

    assert types["customer_id"] == (str, False)
    assert types["churn_probability"] == (float, False)
    assert types["expected_value_low"] == (float, True)
    assert types["snapshot_date"] == (date, False)
    assert types["next_purchase_high"] == (date, True)
    assert types["reasons"] == (list, False)
    assert types["horizon_days"] == (int, True)


def test_a_column_that_was_added_later_is_null_only_where_it_was_published_before() -> None:
    added = {name for name, column in SCHEMA.items() if column.added_later}

    later = set(SCORE_COLUMNS[SCORE_COLUMNS.index("model_version") + 1 :])
    assert added == later - {"usual_gap_days"}  # null of who bought on one day, in a new list too
    assert all(SCHEMA[name].nullable and SCHEMA[name].required for name in added)
    assert {name for name, column in SCHEMA.items() if not column.required} == {
        *("expected_value_low", "expected_value_high"),
        *("next_purchase_date", "next_purchase_low", "next_purchase_high"),
        "usual_gap_days",
    }


def test_a_model_gives_all_columns_but_its_version() -> None:
    assert [name for name in SCORE_COLUMNS if name not in MODEL_COLUMNS] == ["model_version"]


def test_the_fields_of_the_type_are_the_columns_in_their_order() -> None:
    assert tuple(get_type_hints(Score)) == SCORE_COLUMNS
    assert Score.__required_keys__ == set(SCORE_COLUMNS)


def test_each_column_has_a_row_in_the_documentation() -> None:
    rows = schema_markdown().splitlines()[2:]

    assert [row.split("`")[1] for row in rows] == list(SCORE_COLUMNS)
    assert all(column.meaning.endswith(".") for column in SCHEMA.values())


def test_the_schema_imports_the_standard_library_the_lazy_exports_and_names_alone() -> None:
    code = "import sys; before = set(sys.modules); import training.model.score_schema; "
    code += "print(*(set(sys.modules) - before))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    ours = {"features", "features.customer_groups", "features.lazy_exports"}
    ours |= {"training", "training.model", "training.model.score_schema"}
    others = {name.split(".")[0] for name in set(loaded.split()) - ours}
    assert others <= set(sys.stdlib_module_names)
