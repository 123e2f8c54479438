"""Builds the XML schema of a basic type from the documented field tables, as SAP's WE60 shows it.

A sequence of segments, in each a sequence of fields with their length and then the segments inside it. Only
the layout files are read here: the order of the elements is what the writers must get right on their own.
"""

from __future__ import annotations

from lxml import etree

from airflow_provider_asperion.sap.idoc_flat import CONTROL_FIELDS
from airflow_provider_asperion.sap.layouts import load_layouts

XS = "http://www.w3.org/2001/XMLSchema"


def schema_of(basic_type, *, root=None):
    """Return the compiled schema of a basic type."""
    layouts = load_layouts()
    kinds = layouts.sequences[basic_type]
    schema = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    idoc = _element(
        _complex(_element(schema, root or basic_type)), "IDOC", minOccurs="1", maxOccurs="unbounded"
    )
    content = _complex(idoc, attribute="BEGIN")
    _fields(_segment(content, "EDI_DC40", minOccurs="1", maxOccurs="1"), CONTROL_FIELDS)
    _segments(content, None, kinds, layouts)
    return etree.XMLSchema(schema)


def _segments(content, parent, kinds, layouts):
    for kind in kinds:
        if layouts.parents.get(kind) == parent:
            inside = _segment(content, kind, minOccurs="0", maxOccurs="unbounded")
            _fields(inside, layouts.fields[layouts.definitions[kind]])
            _segments(inside, kind, kinds, layouts)


def _segment(content, kind, **occurs):
    return _complex(_element(content, kind, **occurs), attribute="SEGMENT")


def _fields(content, fields):
    for name, begin, end in fields:
        simple = etree.SubElement(
            _element(content, name.replace("/", "_-"), minOccurs="0"), f"{{{XS}}}simpleType"
        )
        restriction = etree.SubElement(simple, f"{{{XS}}}restriction", base="xs:string")
        etree.SubElement(restriction, f"{{{XS}}}maxLength", value=str(end - begin))


def _element(parent, name, **attributes):
    return etree.SubElement(parent, f"{{{XS}}}element", name=name, **attributes)


def _complex(element, *, attribute=None):
    """Return the sequence of an element's content; its one attribute is mandatory and 1."""
    kind = etree.SubElement(element, f"{{{XS}}}complexType")
    sequence = etree.SubElement(kind, f"{{{XS}}}sequence")
    if attribute:
        declared = etree.SubElement(kind, f"{{{XS}}}attribute", name=attribute, use="required")
        simple = etree.SubElement(declared, f"{{{XS}}}simpleType")
        restriction = etree.SubElement(simple, f"{{{XS}}}restriction", base="xs:string")
        etree.SubElement(restriction, f"{{{XS}}}enumeration", value="1")
    return sequence
