"""Documents for the mapper's tests, and a reader of the flat samples by their published field lengths."""

import csv
import os
from pathlib import Path

import pytest

from airflow_provider_asperion.records import SourceDocument

SAMPLES = Path(os.environ.get("ASPERION_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))
HEADER_LENGTH = 63
PARENTS = {
    "E1EDKA3": "E1EDKA1",
    "E1EDKT2": "E1EDKT1",
    "E1EDP02": "E1EDP01",
    "E1EDP03": "E1EDP01",
    "E1EDP04": "E1EDP01",
    "E1EDP05": "E1EDP01",
    "E1EDP19": "E1EDP01",
    "E1EDP20": "E1EDP01",
    "E1EDP26": "E1EDP01",
    "E1EDPA1": "E1EDP01",
    "E1EDPT1": "E1EDP01",
    "E1EDPT2": "E1EDPT1",
}


@pytest.fixture(scope="session")
def document():
    """Make a source document of its content."""

    def make(data, *, format="idoc_xml", message_type="ORDERS", key="PO-7"):
        return SourceDocument(
            file="orders.xml",
            position=1,
            line=1,
            format=format,
            message_type=message_type,
            basic_type="ORDERS05",
            document_number="1",
            key=key,
            data=data,
        )

    return make


@pytest.fixture(scope="session")
def sample():
    """Read a flat sample into the content of a document; skip where the samples are absent."""

    def read(name, structure):
        if not (SAMPLES / name).exists():
            pytest.skip("the samples are not here")
        layouts = _layouts(SAMPLES / structure)
        latest = {}
        content = {"EDI_DC40": {}}
        for record in (SAMPLES / name).read_text(encoding="latin-1").splitlines():
            definition = record[:7]  # later versions of a segment only add fields at its end
            if definition not in layouts or not definition.startswith("E2"):
                continue
            segment_type = "E1" + definition[2:7]
            segment = _fields(record, layouts[definition])
            parent = latest[PARENTS[segment_type]] if segment_type in PARENTS else content
            parent.setdefault(segment_type, []).append(segment)
            latest[segment_type] = segment
        return content

    return read


def _layouts(path):
    layouts = {}
    with path.open(encoding="latin-1", newline="") as file:
        for row in csv.reader(file):
            if not row[0].startswith("#"):
                layouts.setdefault(row[0], []).append((row[5].upper(), int(row[7])))
    return layouts


def _fields(record, layout):
    position, found = 0, {}
    for name, length in layout:
        text = record[position : position + length].strip()
        if position >= HEADER_LENGTH and text:
            found[name] = text
        position += length
    return found
