import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import caches, discovery
from qiao.backends.local.checkpoint import inspect
from qiao.workbench import words
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model

CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}{% endfor %}"
THINKING = CHATML + "{% if enable_thinking %}{% endif %}"
QWEN: dict[str, Any] = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "max_position_embeddings": 32768}
SHAPES = {"model.embed_tokens.weight": [100, 8], "model.norm.weight": [8]}


def write_safetensors(
    file: Path, shapes: dict[str, list[int]] | None = None, dtype: str = "BF16", size: int = 2
) -> None:
    head: dict[str, Any] = {"__metadata__": {"format": "pt", "shape": "no shape at all", "dtype": "none"}}
    at = 0
    for name, shape in (shapes or SHAPES).items():
        length = size
        for side in shape:
            length *= side
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(head).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))


def write_model(
    folder: Path, config: dict[str, Any] | None = None, template: str | None = CHATML, weights: bool = True
) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(QWEN if config is None else config))
    (folder / "tokenizer.json").write_text("{}")
    tokenizer = {} if template is None else {"chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    if weights:
        write_safetensors(folder / "model.safetensors")
    return folder


def gguf_string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def write_gguf(file: Path, values: dict[str, str | int] | None = None, vocabulary: int = 1000) -> Path:
    """A GGUF file with these values, a vocabulary, a nested type or two, and two tensors of Q4_1 and F32."""
    if values is None:
        values = {"general.architecture": "llama", "llama.context_length": 8192, "tokenizer.chat_template": CHATML}
    pairs = [gguf_string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, vocabulary)]
    pairs[0] += b"".join(gguf_string(f"<{number}>") for number in range(vocabulary))
    pairs.append(gguf_string("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, vocabulary) + bytes(4 * vocabulary))
    pairs.append(gguf_string("tokenizer.ggml.add_bos_token") + struct.pack("<I?", 7, False))
    for key, value in values.items():
        if isinstance(value, str):
            pairs.append(gguf_string(key) + struct.pack("<I", 8) + gguf_string(value))
        else:
            pairs.append(gguf_string(key) + struct.pack("<II", 4, value))
    tensors = gguf_string("blk.0.weight") + struct.pack("<IQQIQ", 2, 64, 32, 3, 0)
    tensors += gguf_string("norm.weight") + struct.pack("<IQIQ", 1, 64, 0, 4096)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 2, len(pairs)) + b"".join(pairs) + tensors + bytes(8192))
    return file


def hugging_face_repo(owner_name: str, commit: str = "abc", main: str | None = "abc") -> Path:
    """The repository's folder in the cache that the environment names, with `refs/main`; the snapshot isn't made."""
    repo = Path(os.environ["HF_HOME"]) / "hub" / f"models--{owner_name.replace('/', '--')}"
    (repo / "blobs").mkdir(parents=True)
    (repo / "snapshots").mkdir()
    if main:
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(main)
    return repo


def modelscope_cache() -> Path:
    return Path(os.environ["MODELSCOPE_CACHE"])


def by_address(models: list[Model]) -> dict[str, Model]:
    return {str(model.address): model for model in models}


def only(models: list[Model]) -> Model:
    assert len(models) == 1, models
    return models[0]


def refusal(name: str, *directories: Path) -> str:
    with pytest.raises(Refused) as caught:
        discovery.resolve(name, directories)
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    return text


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    assert discovery.find([]) == []
    assert discovery.find([tmp_path / "nowhere", tmp_path]) == []


def test_a_directory_of_safetensors_tells_all_about_itself(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "models" / "Qwen2.5-0.5B-Instruct")
    model = only(discovery.find([tmp_path / "models"]))
    assert str(model.address) == "local:Qwen2.5-0.5B-Instruct"
    assert (model.title, model.state, model.kind) == ("Qwen2.5-0.5B-Instruct", "on_disk", "instruct")
    assert model.parameters == 808
    assert model.size_bytes == (folder / "model.safetensors").stat().st_size
    assert model.context_length == 32768
    assert model.path == str(folder)
    assert model.problem is None
    assert inspect(folder).dtype == "BF16"
    assert discovery.resolve("Qwen2.5-0.5B-Instruct", [tmp_path / "models"]) == folder


@pytest.mark.parametrize(
    ("template", "kind"), [(None, "base"), (CHATML, "instruct"), (THINKING, "reasoning"), ("… <think> …", "reasoning")]
)
def test_the_chat_template_tells_the_kind(tmp_path: Path, template: str | None, kind: str) -> None:
    write_model(tmp_path / "m", template=template)
    assert only(discovery.find([tmp_path])).kind == kind


def test_a_chat_template_in_a_file_of_its_own_counts_first(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    (folder / "chat_template.jinja").write_text(THINKING)
    assert only(discovery.find([tmp_path])).kind == "reasoning"


def test_a_list_of_chat_templates_counts_too(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    named = [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": "…"}, 7]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert only(discovery.find([tmp_path])).kind == "instruct"


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


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
        ("tokenizer.json tokenizer_config.json", "no tokenizer"),
    ],
)
def test_what_a_directory_lacks_is_said(tmp_path: Path, missing: str, said: str) -> None:
    folder = write_model(tmp_path / "data" / "m")
    for name in missing.split():
        (folder / name).unlink()
    assert said in refusal("m", tmp_path / "data")
    assert said in refusal(str(folder))


def test_an_empty_directory_is_no_model(tmp_path: Path) -> None:
    assert "no config.json" in refusal(str(tmp_path))


def test_pickled_weights_are_refused_and_said_so(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    (folder / "pytorch_model.bin").write_bytes(b"PK")
    assert "pickled (pytorch_model.bin)" in refusal("m", tmp_path)
    assert "pickled" in (only(discovery.find([tmp_path])).problem or "")
    write_safetensors(folder / "model.safetensors")
    assert only(discovery.find([tmp_path])).problem is None
    assert discovery.resolve("m", [tmp_path]) == folder


def test_shards_are_summed_and_missing_ones_are_told(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    names = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    weight_map = {f"layer.{i}.weight": name for i, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    for name in names[:2]:
        write_safetensors(folder / name)
    # Mistral's own format beside the shards: the same weights once more.
    write_safetensors(folder / "consolidated.safetensors")
    assert "1 of its 3 weight files are missing, model-00003-of-00003.safetensors" in refusal("m", tmp_path)
    assert only(discovery.find([tmp_path])).problem
    write_safetensors(folder / names[2])
    model = only(discovery.find([tmp_path]))
    assert model.problem is None
    assert model.parameters == 3 * 808
    assert model.size_bytes == 3 * (folder / names[0]).stat().st_size


def test_an_index_that_leads_out_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    write_safetensors(tmp_path / "other.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')
    assert "model.safetensors.index.json can't be understood" in refusal("m", tmp_path)


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "git lfs pull"),
        (b"", "can't be understood"),
        (b"\xff" * 4096, "can't be understood"),
        (struct.pack("<Q", 99_000_000) + b"{}", "cut short"),
        (struct.pack("<Q", 2) + b"[]", "can't be understood"),
        (struct.pack("<Q", 4) + b"{\xff\xfe}", "can't be understood"),
    ],
)
def test_weights_that_are_none_are_told(tmp_path: Path, content: bytes, said: str) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(content)
    assert said in refusal("m", tmp_path)
    assert said in (only(discovery.find([tmp_path])).problem or "")


def test_weights_cut_short_are_told(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    file = folder / "model.safetensors"
    os.truncate(file, file.stat().st_size - 1)
    assert "model.safetensors is cut short" in refusal("m", tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "", "null", '{"a":' * 5000])
def test_a_broken_config_is_a_problem_and_never_a_traceback(tmp_path: Path, content: str) -> None:
    folder = write_model(tmp_path / "m")
    write_model(tmp_path / "fine")
    (folder / "config.json").write_text(content)
    (tmp_path / "fine" / "tokenizer_config.json").write_text(content)
    found = by_address(discovery.find([tmp_path]))
    assert "config.json can't be understood" in (found["local:m"].problem or "")
    assert found["local:fine"].problem is None
    assert found["local:fine"].kind == "base"


def test_odd_configs_are_read_as_far_as_they_make_sense(tmp_path: Path) -> None:
    seeing = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {"max_position_embeddings": 131072},
        "vision_config": {},
    }
    write_model(tmp_path / "seeing", config=seeing)
    odd = {
        "architectures": None,
        "vocab_size": 100,
        "max_position_embeddings": "many",
        "auto_map": [],
        "n_positions": 9,
    }
    write_model(tmp_path / "odd", config=odd)
    own_code = {"architectures": ["ChatGLMModel"], "auto_map": {"AutoModelForCausalLM": "m.M"}, "seq_length": 131072}
    write_model(tmp_path / "own-code", config=own_code)
    infinite = write_model(tmp_path / "infinite")
    (infinite / "config.json").write_text('\ufeff{"architectures": ["LlamaForCausalLM"], "rope_theta": Infinity}')
    found = by_address(discovery.find([tmp_path]))
    assert {name: model.context_length for name, model in found.items()} == {
        "local:seeing": 131072, "local:odd": 9, "local:own-code": 131072, "local:infinite": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "extra", "said"),
    [
        ({"architectures": ["BertModel"], "vocab_size": 9}, "", "no language model (BertModel)"),
        ({"architectures": ["CLIPModel"]}, "", "no language model (CLIPModel)"),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, "", "no language model"),
        (QWEN, "modules.json", "embedding model"),
        ({"model_type": "vit"}, "", "no language model (vit)"),
    ],
)
def test_what_does_not_answer_is_not_listed(tmp_path: Path, config: dict[str, Any], extra: str, said: str) -> None:
    folder = write_model(tmp_path / "m", config=config)
    if extra:
        (folder / extra).write_text("[]")
    assert discovery.find([tmp_path]) == []
    assert said in refusal("m", tmp_path)
    assert said in refusal(str(folder))


def test_an_adapter_and_a_lone_tokenizer_are_not_listed(tmp_path: Path) -> None:
    adapter = tmp_path / "lora"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    write_safetensors(adapter / "adapter_model.safetensors")
    write_model(tmp_path / "tokenizer", weights=False)
    assert discovery.find([tmp_path]) == []
    assert "adapter (LoRA)" in refusal("lora", tmp_path)
    assert "no weights" in refusal("tokenizer", tmp_path)


def test_quantised_weights_count_what_they_unpack_to(tmp_path: Path) -> None:
    config = QWEN | {"quantization_config": {"quant_method": "awq", "bits": 4}}
    folder = write_model(tmp_path / "awq", config=config, weights=False)
    shapes = {"up.qweight": [64, 8], "up.qzeros": [4, 8]}
    write_safetensors(folder / "model.safetensors", shapes, dtype="I32", size=4)
    config = QWEN | {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    folder = write_model(tmp_path / "bnb", config=config, weights=False)
    shapes = {"up.weight": [2048, 1], "up.weight.absmax": [64], "up.weight.quant_state.bitsandbytes__nf4": [90]}
    write_safetensors(folder / "model.safetensors", shapes, dtype="U8", size=1)
    found = by_address(discovery.find([tmp_path]))
    assert found["local:awq"].parameters == 64 * 64
    assert found["local:bnb"].parameters == 4096


def test_a_gguf_file_tells_all_about_itself(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "Tiny-Q4_1.gguf", vocabulary=150_000)
    model = only(discovery.find([tmp_path]))
    assert (model.title, model.kind, model.context_length) == ("Tiny-Q4_1.gguf", "instruct", 8192)
    assert model.parameters == 64 * 32 + 64
    assert model.size_bytes == file.stat().st_size
    assert inspect(file).dtype == "Q4_1"
    assert discovery.resolve("Tiny-Q4_1.gguf", [tmp_path]) == file


def test_the_starter_is_read_right(starter: Path) -> None:
    checkpoint = inspect(starter)
    assert checkpoint.obstacle is None
    assert (checkpoint.kind, checkpoint.parameters, checkpoint.dtype) == ("instruct", 134_515_008, "Q4_1")
    assert (checkpoint.size_bytes, checkpoint.context_length) == (98_362_432, 8192)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"general.architecture": "qwen3", "qwen3.context_length": 40960}, "base"),
        (
            {"general.architecture": "qwen3", "qwen3.context_length": 40960, "tokenizer.chat_template": THINKING},
            "reasoning",
        ),
    ],
)
def test_a_gguf_file_tells_its_kind(tmp_path: Path, values: dict[str, str | int], kind: str) -> None:
    write_gguf(tmp_path / "m.gguf", values)
    assert only(discovery.find([tmp_path])).kind == kind


@pytest.mark.parametrize(
    "values",
    [
        {"general.architecture": "bert", "bert.context_length": 512, "bert.pooling_type": 1},
        {"general.architecture": "clip"},
        {"general.architecture": "llama", "llama.context_length": 8192, "general.type": "adapter"},
    ],
)
def test_a_gguf_file_that_does_not_answer_is_not_listed(tmp_path: Path, values: dict[str, str | int]) -> None:
    write_gguf(tmp_path / "m.gguf", values)
    assert discovery.find([tmp_path]) == []
    assert "can't be loaded" in refusal("m.gguf", tmp_path)


def test_a_repository_of_several_gguf_files_lists_each_and_asks_which(tmp_path: Path) -> None:
    folder = tmp_path / "Qwen" / "Qwen3-GGUF"
    small, large = write_gguf(folder / "q4.gguf"), write_gguf(folder / "q8.gguf")
    write_gguf(folder / "mmproj-f16.gguf", {"general.architecture": "clip"})
    (folder / "config.json").write_text(json.dumps(QWEN))
    found = by_address(discovery.find([tmp_path]))
    assert set(found) == {"local:Qwen/Qwen3-GGUF/q4.gguf", "local:Qwen/Qwen3-GGUF/q8.gguf"}
    assert {model.title for model in found.values()} == {"q4.gguf", "q8.gguf"}
    assert discovery.resolve("Qwen/Qwen3-GGUF/q8.gguf", [tmp_path]) == large
    text = refusal("Qwen/Qwen3-GGUF", tmp_path)
    assert "local:Qwen/Qwen3-GGUF/q4.gguf" in text
    assert str(small) in refusal(str(folder))
    large.unlink()
    assert discovery.resolve("Qwen/Qwen3-GGUF", [tmp_path]) == small
    assert discovery.resolve(str(folder), []) == small


def test_a_split_gguf_is_one_entry_that_says_so(tmp_path: Path) -> None:
    for part in (1, 2, 3):
        write_gguf(tmp_path / "big" / f"big-0000{part}-of-00003.gguf")
    model = only(discovery.find([tmp_path]))
    assert str(model.address) == "local:big"
    assert model.size_bytes == 3 * (tmp_path / "big" / "big-00001-of-00003.gguf").stat().st_size
    assert "several parts" in (model.problem or "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"GGUF",
        lambda data: data[:200],
        lambda data: data[:4] + b"\x01\0\0\0" + data[8:],
        lambda data: data[:16] + b"\xff" * 8 + data[24:],
        lambda data: data[:24] + b"\xff" * 8 + data[32:],
        lambda data: b"version https://git-lfs.github.com/spec/v1\n",
    ],
    ids=["empty", "magic", "cut", "version", "counts", "length", "lfs"],
)
def test_a_broken_gguf_file_is_a_problem(tmp_path: Path, damage: Any) -> None:
    file = write_gguf(tmp_path / "m.gguf")
    file.write_bytes(damage(file.read_bytes()))
    problem = only(discovery.find([tmp_path])).problem or ""
    assert "m.gguf" in problem
    assert problem in refusal("m.gguf", tmp_path)


def test_arrays_within_arrays_are_no_way_to_exhaust_the_stack(tmp_path: Path) -> None:
    nested = gguf_string("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 20_000
    (tmp_path / "m.gguf").write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + nested)
    assert "can't be understood" in (only(discovery.find([tmp_path])).problem or "")


def test_what_cannot_be_read_costs_nothing_else(tmp_path: Path) -> None:
    write_model(tmp_path / "fine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    locked = write_model(tmp_path / "locked")
    locked.chmod(0)
    half_locked = write_model(tmp_path / "half-locked")
    # A directory can't be read as a file, not even by root, whom no mode locks out.
    (half_locked / "config.json").unlink()
    (half_locked / "config.json").mkdir()
    try:
        found = by_address(discovery.find([tmp_path, tmp_path / "fine" / "config.json"]))
    finally:
        locked.chmod(0o700)
    assert found["local:fine"].problem is None
    assert "config.json can't be read" in (found["local:half-locked"].problem or "")
    assert "config.json can't be read" in refusal("half-locked", tmp_path)


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


def test_a_change_on_disk_is_seen(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    assert only(discovery.find([tmp_path])).kind == "base"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML}))
    assert only(discovery.find([tmp_path])).kind == "instruct"
    write_safetensors(folder / "model.safetensors", {"a": [3, 5]})
    assert only(discovery.find([tmp_path])).parameters == 15


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
