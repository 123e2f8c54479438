"""Random documents of a basic type for hypothesis, and what turns them into files."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.sap.writing import TargetDocument

MESSAGES = {
    "ORDERS05": "ORDERS",
    "INVOIC02": "INVOIC",
    "MATMAS05": "MATMAS",
    "DEBMAS07": "DEBMAS",
    "ADRMAS02": "ADRMAS",
    "SYSTAT01": "STATUS",
    "ALEAUD01": "ALEAUD",
}
CREATED = dt.datetime(2026, 11, 23, 10, 15, 0, tzinfo=dt.UTC)
# No control characters, no surrogates, no line and paragraph separators, nothing that XML does not know.
_SIGNS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff")


def document(basic_type, data, *, number="4711", key="K-1", message_type=None):
    """Return a document to write."""
    return TargetDocument(key, message_type or MESSAGES[basic_type], basic_type, number, CREATED, data)


def written(writer, *documents):
    """Return the bytes of a file of some documents."""
    return writer.begin() + b"".join(writer.add(one) for one in documents) + writer.end()


@st.composite
def trees(draw, basic_type):
    """Draw the content of a document: some segments of the basic type, some fields in each, in any order."""
    return _inside(draw, None, load_layouts(), load_layouts().sequences[basic_type], 1)


def _inside(draw, parent, layouts, kinds, least):
    possible = [kind for kind in kinds if layouts.parents.get(kind) == parent]
    if not possible:
        return {}
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, min_size=least, max_size=3))
    found = {}
    for kind in chosen:
        # The reader takes a second head for the beginning of another document.
        number = 1 if kind == "E1EDK01" else draw(st.integers(1, 2))
        found[kind] = [_segment(draw, kind, layouts, kinds) for _ in range(number)]
    return found


def _segment(draw, kind, layouts, kinds):
    fields = layouts.fields[layouts.definitions[kind]]
    values = {}
    for name, begin, end in draw(st.lists(st.sampled_from(fields), unique=True, max_size=4)):
        # Readers drop blanks around a value, as SAP pads with them.
        text = draw(st.text(_SIGNS, min_size=1, max_size=min(end - begin, 40))).strip()
        if text:
            values[name] = text
    children = _inside(draw, kind, layouts, kinds, 0)
    both = [*values.items(), *children.items()]
    return dict(draw(st.permutations(both))) if len(both) > 1 else dict(both)
