"""Files of settings are read as editors write them."""

from __future__ import annotations

from pathlib import Path

from features.documents import read_toml


def test_a_file_of_settings_may_begin_with_the_mark_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "offers.toml"
    path.write_bytes("\ufeffa = 1\n".encode())

    assert read_toml(path) == {"a": 1}
