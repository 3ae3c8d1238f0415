"""The id of a record that has none is the same, whoever writes the text of which it is the digest."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from transforms.core.decode.slow_path.events import record_hash, text_hash

TEXTS = st.one_of(st.text(), st.text(st.characters(max_codepoint=0x80)))
NUMBERS = st.one_of(st.integers(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@example({"b": 1, "a": {"d": [], "c": {}}}, False)
@example({"a": "\x7f"}, True)
@example({"a": '\x00\x1f\b\f\n\r\t"\\/'}, False)
@example({"a": 1e16, "b": 0.00001}, False)
@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans())
def test_the_hash_of_a_text_is_that_of_its_record(record: dict[str, Any], escaped: bool) -> None:
    text = json.dumps(record, ensure_ascii=escaped).encode(errors="surrogatepass")
    assert text_hash(text) == record_hash(json.loads(text))
