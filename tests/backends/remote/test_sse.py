"""Events are found wherever the bytes are split."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.remote.sse import EventDecoder, decoded

values = st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=3)


@given(
    st.lists(values, max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["data: ", "data:"]),
    st.sampled_from(["", ": alive", "event: message", "id: 7"]),
    st.sets(st.integers(0, 400)),
    st.booleans(),
)
def test_where_it_is_split_makes_no_difference(
    values: list[dict[str, object]], end: str, name: str, before: str, cuts: set[int], parted: bool
) -> None:
    lines: list[str] = []
    for value in values:
        lines += [before] * bool(before) + [name + json.dumps(value, ensure_ascii=False)] + [""] * parted
    stream = "".join(line + end for line in lines).encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    decoder = EventDecoder()
    found: list[bytes] = []
    for start, stop in itertools.pairwise(places):
        found += decoder.feed(stream[start:stop])
    found += decoder.flush()
    assert [decoded(data) for data in found] == values
