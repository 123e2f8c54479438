"""How the files for one receiver are to be written: format, control record, the CSV dialect, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, StringConstraints

from airflow_provider_asperion.records import Record
from airflow_provider_asperion.sap.dialect import DateForm, DecimalSign
from airflow_provider_asperion.sap.profile import Encoding

WriteFormat = Literal["idoc_xml", "idoc_flat", "csv", "json"]


def _control(length: int, default: str, meaning: str) -> str:
    return Field(default, max_length=length, description=meaning)


def _template(text: str) -> str:
    try:
        text.format(number="", key="", moment="")
    except (ValueError, KeyError, IndexError, AttributeError):
        raise ValueError("a template names {number}, {key} or {moment}, and no other field") from None
    return text


ControlTemplate = Annotated[str, AfterValidator(_template)]


class ControlRecord(Record):
    """Values of the control record (EDI_DC40) of the IDocs we write: agree on them with SAP's side (WE20).

    ``DOCNUM``, ``MESTYP``, ``IDOCTYP``, ``CREDAT`` and ``CRETIM`` come from the document. A template may name
    ``{number}`` (of the IDoc), ``{key}`` (SKU, customer or order number), ``{moment}`` (``YYYYMMDDHHMMSS``).
    """

    table: Literal["EDI_DC40", "EDI_DC40_U"] = Field(
        "EDI_DC40", description="TABNAM of flat files: EDI_DC40_U for a Unicode port."
    )
    client: str = _control(3, "", "MANDT: client of the receiving SAP system.")
    release: str = _control(4, "", "DOCREL: release of SAP.")
    status: str = _control(2, "", "STATUS: status of the IDoc.")
    direction: Literal["1", "2"] = Field("2", description="DIRECT: 2, inbound for SAP.")
    output_mode: str = _control(1, "", "OUTMOD: output mode.")
    express: bool = Field(False, description="EXPRSS: override the processing that was agreed on.")
    test: bool = Field(False, description="TEST: mark the IDocs as a test.")
    extension: str = _control(30, "", "CIMTYP: extension of the basic type.")
    message_code: str = _control(3, "", "MESCOD: message variant.")
    message_function: str = _control(3, "", "MESFCT: message function.")
    standard: str = _control(1, "", "STD: EDI standard, e.g. E for EDIFACT.")
    standard_version: str = _control(6, "", "STDVRS: version of the EDI standard.")
    standard_message: str = _control(6, "", "STDMES: message type of the EDI standard.")
    sender_port: str = _control(10, "ASPERION", "SNDPOR: port of the sender.")
    sender_type: str = _control(2, "LS", "SNDPRT: LS logical system, KU customer, LI vendor.")
    sender_function: str = _control(2, "", "SNDPFC: partner function of the sender.")
    sender: str = _control(10, "ASPERION", "SNDPRN: partner number of the sender.")
    sender_address: str = _control(21, "", "SNDSAD: sender's address (SADR).")
    sender_logical_address: str = _control(70, "", "SNDLAD: sender's logical address.")
    receiver_port: str = _control(10, "", "RCVPOR: port of the receiver, e.g. SAPPRD.")
    receiver_type: str = _control(2, "LS", "RCVPRT: type of the receiver.")
    receiver_function: str = _control(2, "", "RCVPFC: partner function of the receiver.")
    receiver: str = _control(10, "", "RCVPRN: partner number of the receiver.")
    receiver_address: str = _control(21, "", "RCVSAD: receiver's address (SADR).")
    receiver_logical_address: str = _control(70, "", "RCVLAD: receiver's logical address.")
    interchange: ControlTemplate = Field("", description="REFINT: interchange file; a template.")
    message_group: ControlTemplate = Field("", description="REFGRP: message group; a template.")
    message_reference: ControlTemplate = Field("", description="REFMES: message; a template.")
    archive_key: ControlTemplate = Field(
        "", description="ARCKEY: our own message id, by which SAP's side finds the IDoc; a template."
    )
    serial: ControlTemplate = Field("", description="SERIAL: for serialization, e.g. '{moment}'; a template.")

    def in_document(self, *, number: str, key: str, moment: str) -> dict[str, str]:
        """Return the values that are another one in each document."""
        templates = {
            "REFINT": self.interchange,
            "REFGRP": self.message_group,
            "REFMES": self.message_reference,
            "ARCKEY": self.archive_key,
            "SERIAL": self.serial,
        }
        words = {"number": number, "key": key, "moment": moment}
        return {name: template.format(**words) for name, template in templates.items() if template}


class CsvForm(Record):
    """How delimited files are written."""

    delimiter: Literal[";", ",", "\t", "|"] = Field(";", description="Sign between fields.")
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1)] = Field(
        '"', description="Sign around fields."
    )
    quoting: Literal["minimal", "all"] = Field("minimal", description="Quote where needed, or every field.")
    header: bool = Field(True, description="Begin with a row of column names.")
    line_end: Literal["crlf", "lf"] = Field("crlf", description="End of a line.")
    encoding: Encoding = Field("utf-8", description="Encoding of the file.")
    byte_order_mark: bool = Field(False, description="Begin with a byte order mark (UTF encodings).")
    decimal_sign: DecimalSign = Field(".", description="Decimal sign of numbers.")
    minus: Literal["before", "after"] = Field("before", description="Where the minus stands.")
    date: DateForm = Field("YYYYMMDD", description="Form of dates.")
    pad: dict[str, PositiveInt] = Field(
        default_factory=dict, description="Column: width to which numeric keys are padded with zeros."
    )
    trailer: str | None = Field(
        None, description="First field of a last line with the number of rows and sums; null: no such line."
    )
    sums: tuple[str, ...] = Field((), description="Columns whose sums stand in the trailer, in this order.")
    neutralise_formulas: bool = Field(
        False, description="Put an apostrophe before text that a spreadsheet would run (= + - @)."
    )


class WriteProfile(Record):
    """How the files for one receiver are to be written."""

    format: WriteFormat = Field("idoc_xml", description="Format of the files.")
    control: ControlRecord = ControlRecord()
    csv: CsvForm = CsvForm()
    flat_encoding: Encoding = Field("utf-8", description="Encoding of IDoc flat files.")
    overlong: Literal["refuse", "cut"] = Field(
        "refuse", description="A value longer than its field: refuse the record, or cut it and say so."
    )
    no_data: str = Field(
        "/",
        description="What an update writes for a field that became empty, to tell it from one that does not "
        "travel.",
    )
    untouched: str = Field(
        "",
        description="What an update writes into the fields of its segments that do not travel: / (SAP's "
        "NODATA) where SAP's side empties what comes blank; then set no_data to ''.",
    )
    layouts: tuple[Path, ...] = Field(
        (),
        description="Files with segment layouts of your own: WE63 parser file, IDoc XSD or YAML.",
    )
    maximum_bytes: PositiveInt = Field(
        40_000_000, description="Bytes of a file; a batch that is larger becomes several files."
    )
