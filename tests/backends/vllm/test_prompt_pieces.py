from qiao.backends.vllm.tokenizing import pieces
from qiao.workbench.seam import Piece


def special(text: str) -> Piece:
    return Piece(text, special=True)


def test_special_tokens_part_the_text() -> None:
    tokens = ["<|im_start|>", "user", "Ċ", "Hi", "Ġ", "<|im_end|>", "Ċ", "<think>"]
    assert pieces("<|im_start|>user\nHi <|im_end|>\n<think>", tokens) == [
        special("<|im_start|>"),
        Piece("user\nHi "),
        special("<|im_end|>"),
        Piece("\n"),
        special("<think>"),
    ]


def test_what_is_put_before_a_bare_text_comes_first() -> None:
    assert pieces("Once", ["<s>", "▁Once"]) == [special("<s>"), Piece("Once")]


def test_bytes_and_brackets_of_text_are_text() -> None:
    assert pieces("a\n<>[] 3 < 4", ["a", "<0x0A>", "<>", "[]", "Ġ3", "Ġ<", "Ġ4"]) == [Piece("a\n<>[] 3 < 4")]


def test_mistrals_and_deepseeks_tokens_are_known() -> None:
    tokens = ["<s>", "[INST]", "Hi", "[/INST]", "<｜Assistant｜>"]
    text = "<s>[INST]Hi[/INST]<｜Assistant｜>"
    assert [piece.text for piece in pieces(text, tokens) if piece.special] == [t for t in tokens if t != "Hi"]


def test_no_text_no_pieces() -> None:
    assert pieces("", []) == []
