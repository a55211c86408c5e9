"""Several files are written: all of them, or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from portmesh.errors import UsageError
from portmesh.scaffold.writing import write_all

KILLED_HALF_WAY = """
import os, sys
from pathlib import Path
from portmesh.scaffold import writing
writing._move = lambda staged: os._exit(9)
writing.write_all({Path(sys.argv[1]) / name: "text" for name in ("new/deep/one.yml", "two.yml")})
"""


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    texts = {
        tmp_path / "new/deep/one.yml": "Straße: 1\r\n",
        tmp_path / "new/two.yml": "",
        tmp_path / "three.yml": "c\n",
    }
    write_all(texts)
    assert {path: path.read_bytes().decode() for path in texts} == texts
    assert len(files_in(tmp_path)) == 3


def test_existing_files_are_refused_by_name_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text("as it was")
    with pytest.raises(UsageError, match=r"(?s)This file exists already\..*old\.yml.*written +nothing"):
        write_all({tmp_path / "new/one.yml": "text", tmp_path / "old.yml": "text"})
    assert files_in(tmp_path) == ["old.yml"]
    assert (tmp_path / "old.yml").read_text() == "as it was"


def test_only_the_named_files_are_replaced(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yml", tmp_path / "two.yml"
    write_all({one: "1", two: "2"})
    one.chmod(0o640)
    with pytest.raises(UsageError, match=r"two\.yml"):
        write_all({one: "new", two: "new"}, replace=[one])
    assert (one.read_text(), two.read_text()) == ("1", "2")
    write_all({one: "new", two: "new"}, replace=True)
    assert (one.read_text(), two.read_text()) == ("new", "new")
    assert one.stat().st_mode & 0o777 == 0o640


def test_a_file_where_a_folder_is_needed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "domains").write_text("")
    with pytest.raises(UsageError, match="domains is a file, so nothing can be written in it"):
        write_all({tmp_path / "one.yml": "", tmp_path / "domains/finance/two.yml": ""})
    assert files_in(tmp_path) == ["domains"]


def test_a_folder_where_a_file_is_to_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yml").mkdir()
    with pytest.raises(UsageError, match="A folder has the name of a file"):
        write_all({tmp_path / "one.yml": "", tmp_path / "two.yml": ""}, replace=True)
    assert files_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_without_rights_nothing_is_written(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    with pytest.raises(UsageError, match=r"(?s)nothing was changed.*locked.*Permission denied"):
        write_all({tmp_path / "one.yml": "", locked / "two.yml": ""})
    assert files_in(tmp_path) == []


def test_a_file_that_cannot_be_written_undoes_what_is_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(path: Path, *arguments: str, **options: str) -> IO[str]:
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"(?s)nothing was changed.*locked.*Permission denied"):
        write_all({tmp_path / "new/one.yml": "", tmp_path / "locked/two.yml": ""})
    assert list(tmp_path.iterdir()) == []


def test_a_move_that_fails_undoes_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.yml"
    old.write_text("as it was")
    moved = Path.replace

    def fail_at_last(part: Path, place: Path) -> Path:
        if place.name == "last.yml":
            raise OSError(28, "No space left on device", str(place))
        return moved(part, place)

    monkeypatch.setattr(Path, "replace", fail_at_last)
    with pytest.raises(UsageError, match="No space left on device"):
        write_all({old: "new", tmp_path / "new/one.yml": "", tmp_path / "last.yml": ""}, replace=[old])
    assert files_in(tmp_path) == ["old.yml"]
    assert old.read_text() == "as it was"


def test_a_killed_process_leaves_nothing_visible_and_does_not_hinder_the_next(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY, str(tmp_path)], check=False, capture_output=True)
    assert killed.returncode == 9, killed.stderr
    left = files_in(tmp_path)
    assert left
    assert all(name.startswith(".") and ".part" in name for name in left)
    write_all({tmp_path / "new/deep/one.yml": "text", tmp_path / "two.yml": "text"})
    assert files_in(tmp_path) == ["new/deep/one.yml", "two.yml"]
