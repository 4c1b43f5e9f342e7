import os
import time
from pathlib import Path

import pytest

from qiao.backends.local import caches, discovery
from qiao.workbench import words

from .model_files import (
    THINKING,
    by_address,
    hugging_face_repo,
    modelscope_cache,
    only,
    refusal,
    write_gguf,
    write_model,
    write_safetensors,
)


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    assert discovery.find([]) == []
    assert discovery.find([tmp_path / "nowhere", tmp_path]) == []


def test_configured_directories_are_looked_into_two_levels_deep(tmp_path: Path) -> None:
    write_model(tmp_path / "data" / "mine")
    write_model(tmp_path / "data" / "Qwen" / "Qwen2___5-3B")
    write_gguf(tmp_path / "data" / "tiny.Q4_1.gguf")
    write_gguf(tmp_path / "data" / "one-file" / "model.gguf")
    write_model(tmp_path / "data" / "a" / "b" / "too-deep")
    write_model(tmp_path / "itself")
    (tmp_path / "data" / "notes.txt").write_text("no model")
    (tmp_path / "data" / ".hidden").mkdir()
    directories = [tmp_path / "data", tmp_path / "itself"]
    found = by_address(discovery.find(directories))
    assert set(found) == {
        "local:mine", "local:Qwen/Qwen2.5-3B", "local:tiny.Q4_1.gguf", "local:one-file", "local:itself",
    }  # fmt: skip
    for address, model in found.items():
        assert str(discovery.resolve(address.partition(":")[2], directories)) == model.path
    folder_as_written = discovery.resolve("Qwen/Qwen2___5-3B", directories)
    assert folder_as_written == tmp_path / "data" / "Qwen" / "Qwen2___5-3B"


@pytest.mark.parametrize(
    "layout",
    [
        "models/Qwen--Qwen2.5-0.5B/snapshots/master",
        "models/Qwen/Qwen2___5-0___5B",
        "hub/models/Qwen/Qwen2___5-0___5B",
        "hub/models/Qwen--Qwen2.5-0.5B/snapshots/master",
        "hub/Qwen/Qwen2___5-0___5B",
        "Qwen/Qwen2.5-0.5B",
    ],
)
def test_every_layout_of_the_modelscope_cache_is_read(layout: str) -> None:
    folder = write_model(modelscope_cache() / layout)
    (modelscope_cache() / "hub" / "._____temp" / "Qwen").mkdir(parents=True)
    (modelscope_cache() / ".lock").mkdir()
    model = only(discovery.find([]))
    assert str(model.address) == "local:Qwen/Qwen2.5-0.5B"
    assert model.title == "Qwen2.5-0.5B"
    assert discovery.resolve("Qwen/Qwen2.5-0.5B", []) == folder


def test_modelscope_without_a_variable_lies_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELSCOPE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    write_model(tmp_path / "me" / ".cache" / "modelscope" / "hub" / "models" / "Qwen" / "Qwen3-0___6B")
    assert str(only(discovery.find([])).address) == "local:Qwen/Qwen3-0.6B"


def test_a_modelscope_link_beside_the_encoded_folder_is_no_second_model() -> None:
    folder = write_model(modelscope_cache() / "hub" / "models" / "Qwen" / "Qwen2___5-0___5B")
    (folder.parent / "Qwen2.5-0.5B").symlink_to(folder)
    assert str(only(discovery.find([])).address) == "local:Qwen/Qwen2.5-0.5B"
    assert discovery.resolve("Qwen/Qwen2.5-0.5B", []).samefile(folder)


def test_modelscope_takes_master_before_other_revisions() -> None:
    snapshots = modelscope_cache() / "models" / "Qwen--Qwen3-4B" / "snapshots"
    write_model(snapshots / "v1")
    master = write_model(snapshots / "master")
    write_model(snapshots / "v2")
    assert discovery.resolve("Qwen/Qwen3-4B", []) == master
    assert len(discovery.find([])) == 1


def test_the_hugging_face_cache_is_read_by_refs_main_through_links() -> None:
    repo = hugging_face_repo("Qwen/Qwen3-0.6B", main="new\n")
    write_model(repo / "snapshots" / "old", template=None)
    new = write_model(repo / "snapshots" / "new", template=THINKING)
    for file in list(new.iterdir()):
        blob = repo / "blobs" / f"sha-of-{file.name}"
        file.rename(blob)
        file.symlink_to(Path("..") / ".." / "blobs" / blob.name)
    os.utime(repo / "snapshots" / "old")
    model = only(discovery.find([]))
    assert str(model.address) == "local:Qwen/Qwen3-0.6B"
    assert model.kind == "reasoning"
    assert model.parameters == 808
    assert discovery.resolve("Qwen/Qwen3-0.6B", []) == new
    assert discovery.resolve(str(repo), []) == new


def test_hugging_face_without_refs_takes_the_newest_snapshot_and_names_without_owner() -> None:
    repo = hugging_face_repo("gpt2", main=None)
    old = write_model(repo / "snapshots" / "aaa")
    new = write_model(repo / "snapshots" / "bbb", config={"architectures": ["GPT2LMHeadModel"], "n_positions": 1024})
    os.utime(old, (1, 1))
    assert discovery.resolve("gpt2", []) == new
    assert only(discovery.find([])).context_length == 1024


def test_hugging_face_variables_have_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = hugging_face_repo("a/by-home")
    write_model(repo / "snapshots" / "abc")
    cache = tmp_path / "cache"
    write_model(cache / "models--a--by-cache" / "snapshots" / "abc")
    assert set(by_address(discovery.find([]))) == {"local:a/by-home"}
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    assert set(by_address(discovery.find([]))) == {"local:a/by-cache"}
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    write_model(tmp_path / "xdg" / "huggingface" / "hub" / "models--a--by-xdg" / "snapshots" / "abc")
    assert set(by_address(discovery.find([]))) == {"local:a/by-xdg"}


def test_a_hub_cache_can_be_a_configured_directory(tmp_path: Path) -> None:
    write_model(tmp_path / "hf" / "models--a--one" / "snapshots" / "abc")
    write_model(tmp_path / "ms" / "models" / "a--two" / "snapshots" / "master")
    write_model(tmp_path / "ms" / "models" / "a" / "thr___ee")
    found = by_address(discovery.find([tmp_path / "hf", tmp_path / "ms"]))
    assert set(found) == {"local:a/one", "local:a/two", "local:a/thr.ee"}


def test_earlier_places_have_the_name_and_later_ones_their_path(tmp_path: Path) -> None:
    hugging_face = write_model(hugging_face_repo("Qwen/Q") / "snapshots" / "abc")
    modelscope = write_model(modelscope_cache() / "models" / "Qwen--Q" / "snapshots" / "master")
    configured = write_model(tmp_path / "data" / "Qwen" / "Q")
    assert discovery.resolve("Qwen/Q", []) == modelscope
    assert discovery.resolve("Qwen/Q", [tmp_path / "data"]) == configured
    found = by_address(discovery.find([tmp_path / "data"]))
    assert list(found) == ["local:Qwen/Q", f"local:{modelscope}", f"local:{hugging_face}"]
    assert found["local:Qwen/Q"].path == str(configured)
    assert {model.title for model in found.values()} == {"Q"}


def test_a_name_that_is_there_twice_is_listed_not_guessed(tmp_path: Path) -> None:
    one = write_model(tmp_path / "one" / "same")
    two = write_model(tmp_path / "two" / "same")
    directories = [tmp_path / "one", tmp_path / "two"]
    text = refusal("same", *directories)
    assert str(one) in text
    assert str(two) in text
    found = by_address(discovery.find(directories))
    assert set(found) == {f"local:{one}", f"local:{two}"}
    for model in found.values():
        assert str(discovery.resolve(model.address.name, directories)) == model.path


def test_a_directory_configured_twice_or_within_another_counts_once(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "data" / "Qwen" / "Q")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    directories = [tmp_path / "data", tmp_path / "link", tmp_path / "data"]
    assert len(discovery.find(directories)) == 1
    assert discovery.resolve("Qwen/Q", directories) == folder


def test_the_name_starter_is_never_taken_by_a_folder(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "starter")
    assert only(discovery.find([tmp_path])).address.name == str(folder)


def test_paths_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model(tmp_path / "me" / "models" / "m")
    file = write_gguf(tmp_path / "me" / "tiny.gguf")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir(tmp_path / "me")
    assert discovery.resolve(str(folder), []) == folder
    assert discovery.resolve("~/models/m", []) == folder
    assert discovery.resolve("./models/m", []).samefile(folder)
    assert discovery.resolve("../me/tiny.gguf", []).samefile(file)
    assert "models/m" in refusal("models/m")
    (tmp_path / "me" / "notes.txt").write_text("hello")
    for nowhere in ("./nowhere", "~no-such-user/m", "/a\0b", "/" + "long" * 1000, "./notes.txt/m"):
        assert "no file or directory" in refusal(nowhere)
    assert discovery.find([Path("~no-such-user/m"), Path("a\0b")]) == []
    assert "./notes.txt is no model" in refusal("./notes.txt")


def test_an_unknown_name_says_what_may_be_meant(tmp_path: Path) -> None:
    write_model(tmp_path / "Qwen" / "Qwen2.5-3B-Instruct")
    assert "Do you mean local:Qwen/Qwen2.5-3B-Instruct?" in refusal("qwen/qwen2.5-3b-instruct", tmp_path)
    assert "Do you mean local:Qwen/Qwen2.5-3B-Instruct?" in refusal("Qwen2.5-3B-Instruct", tmp_path)
    assert "configured directories" in refusal("something-else", tmp_path)


def test_an_unfinished_hugging_face_download_is_told_and_a_lone_config_is_not_listed() -> None:
    repo = hugging_face_repo("Qwen/half")
    write_model(repo / "snapshots" / "abc", weights=False)
    (repo / "blobs" / "0123.incomplete").write_bytes(b"")
    lone = hugging_face_repo("Qwen/lone")
    write_model(lone / "snapshots" / "abc", weights=False)
    hugging_face_repo("Qwen/empty")
    model = only(discovery.find([]))
    assert str(model.address) == "local:Qwen/half"
    assert "download isn't finished" in (model.problem or "")
    assert "download isn't finished" in refusal("Qwen/half")
    assert "no weights" in refusal("Qwen/lone")
    dangling = repo / "snapshots" / "abc" / "model.safetensors"
    dangling.symlink_to(Path("..") / ".." / "blobs" / "not-there")
    assert "download isn't finished" in (only(discovery.find([])).problem or "")


def test_an_unusable_copy_gives_its_name_to_a_usable_one() -> None:
    write_model(modelscope_cache() / "models" / "Qwen--Q" / "snapshots" / "master", weights=False)
    half = write_model(modelscope_cache() / "models" / "Qwen" / "Q")
    (half / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    whole = write_model(hugging_face_repo("Qwen/Q") / "snapshots" / "abc")
    assert discovery.resolve("Qwen/Q", []) == whole
    usable = [model for model in discovery.find([]) if model.problem is None]
    assert only(usable).path == str(whole)
    assert only(usable).address.name == "Qwen/Q"


def test_hostile_names_stay_one_printable_line(tmp_path: Path) -> None:
    hostile = "evil\x1b[2J\n\u202e[red]"
    folder = write_model(tmp_path / "data" / hostile)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert only(discovery.find([tmp_path / "data"])).title == hostile
    assert "[red]" in refusal(hostile, tmp_path / "data")
    refusal(f"no-such-{hostile}", tmp_path / "data")
    refusal(f"./{hostile}")


def test_problems_are_said_in_the_language_of_the_moment(tmp_path: Path) -> None:
    write_model(tmp_path / "m", weights=False)
    (tmp_path / "m" / "pytorch_model.bin").write_bytes(b"")
    assert "pickled" in (only(discovery.find([tmp_path])).problem or "")
    words.choose("zh")
    assert "权重是 pickle 格式" in (only(discovery.find([tmp_path])).problem or "")


def test_two_hundred_models_are_found_and_found_again_without_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {f"model.layers.{i}.weight": [4, 4] for i in range(290)}
    for number in range(200):
        snapshot = write_model(hugging_face_repo(f"owner/model-{number}") / "snapshots" / "abc", weights=False)
        write_safetensors(snapshot / "model.safetensors", shapes)
    began = time.perf_counter()
    first = discovery.find([])
    print(f"200 models: {(time.perf_counter() - began) * 1000:.0f} ms")
    assert len(first) == 200

    def no_reading(*_: object) -> None:
        raise AssertionError("a file was read again")

    monkeypatch.setattr("qiao.backends.local.checkpoint.read_config", no_reading)
    assert discovery.find([]) == first


def test_folder_names_are_decoded() -> None:
    assert caches.decoded("Qwen2___5-0___5B_x__y") == "Qwen2.5-0.5B_x__y"
