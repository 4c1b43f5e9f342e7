"""Tags as they are typed."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.tags import tags_in, tags_line


def test_blanks_commas_and_marks_are_no_part_of_a_tag() -> None:
    assert tags_in("  mail #late,zh，邮件 mail ＃寄送 # c# ") == ("mail", "late", "zh", "邮件", "寄送", "c#")


@given(st.text())
def test_what_was_typed_comes_back_the_same(text: str) -> None:
    tags = tags_in(text)
    assert tags_in(tags_line(tags)) == tags_in(tags_line(tags, "#")) == tags
