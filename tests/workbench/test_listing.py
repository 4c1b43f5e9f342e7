"""Folders that other programs change, and what a look at them costs."""

import os
import time
from pathlib import Path

import pytest

from qiao.workbench import listing
from qiao.workbench.listing import Listing, Place


def put(path: Path, text: str = "qiao = 1\n", ago: float = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    settle(path, ago)
    return path


def settle(path: Path, ago: float = 1000) -> None:
    """As if nothing had happened to it, or to its folder, for a while."""
    for each in (path, path.parent):
        if each.exists():
            os.utime(each, (time.time() - ago, time.time() - ago))


def names(found: Listing) -> list[str]:
    return [os.path.basename(file.path) for file in found.files]


def test_what_other_programs_do_is_seen(tmp_path: Path) -> None:
    one = put(tmp_path / "one.toml", ago=50)
    put(tmp_path / "sub" / "two.toml", ago=60)
    found = Listing([Place(tmp_path, 2)], {})
    assert names(found) == ["one.toml", "two.toml"]
    assert not found.look()
    put(tmp_path / "sub" / "new" / "three.toml", ago=10)
    assert found.look()
    assert names(found) == ["three.toml", "one.toml", "two.toml"]
    one.rename(tmp_path / "sub" / "renamed.toml")
    assert found.look()
    assert names(found) == ["three.toml", "renamed.toml", "two.toml"]
    for path in (tmp_path / "sub" / "new").iterdir():
        path.unlink()
    (tmp_path / "sub" / "new").rmdir()
    assert found.look()
    assert names(found) == ["renamed.toml", "two.toml"]
    assert not found.look()


def test_a_file_written_to_as_it_stands_is_seen_at_once_if_a_person_sees_it_else_in_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "ASKED", 2)
    paths = [put(tmp_path / f"{number}.toml", ago=100 + number) for number in range(6)]
    settle(tmp_path / "none")
    found = Listing([Place(tmp_path)], {})
    assert not found.look()
    last = paths[-1]
    with last.open("a", encoding="utf-8") as file:
        file.write('title = "changed"\n')
    settle(tmp_path / "none")
    assert found.look([str(last)])
    with paths[-2].open("a", encoding="utf-8") as file:
        file.write('title = "changed"\n')
    assert [found.look() for _ in range(3)].count(True) == 1
    assert not found.look()


def test_a_look_at_folders_that_are_as_they_were_reads_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        put(tmp_path / "many" / f"{number}.toml")
    settle(tmp_path / "many")
    found = Listing([Place(tmp_path, 1)], {})
    read: list[str] = []
    inside = listing._inside
    monkeypatch.setattr(listing, "_inside", lambda folder: (read.append(folder), inside(folder))[1])
    assert not found.look()
    assert read == []
    put(tmp_path / "many" / "new.toml")
    assert found.look()
    assert read == [str(tmp_path / "many")]


def test_a_folder_changed_just_now_is_read_again_though_its_time_is_the_same(tmp_path: Path) -> None:
    put(tmp_path / "one.toml")
    os.utime(tmp_path)
    found = Listing([Place(tmp_path)], {})
    before = tmp_path.stat()
    put(tmp_path / "two.toml")
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found.look()
    assert sorted(names(found)) == ["one.toml", "two.toml"]


def test_a_folder_that_is_two_places_keeps_the_more_telling_kind_and_the_greater_depth(tmp_path: Path) -> None:
    put(tmp_path / "draft.toml", ago=10)
    put(tmp_path / "below" / "file.toml", ago=20)
    found = Listing([Place(tmp_path, 0, "draft"), Place(tmp_path, 1)], {})
    assert [(os.path.basename(file.path), file.kind) for file in found.files] == [
        ("draft.toml", "draft"),
        ("file.toml", "file"),
    ]
    assert not found.look()
