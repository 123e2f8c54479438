"""The shipped layouts against what was published: offsets, lengths and widths, typed a second time."""

import pytest

from airflow_provider_asperion.sap.layouts import load_layouts

pytestmark = pytest.mark.feature("X6")

# Definition -> field -> (begin, end) in characters of the record: SAP's parser file (WE63) and samples.
OFFSETS = {
    "E2MARAM009": {
        "MSGFN": (63, 66), "MATNR": (66, 84), "ERSDA": (84, 92), "LAEDA": (104, 112), "LVORM": (139, 140),
        "MTART": (140, 144), "MBRSH": (144, 145), "MATKL": (145, 154), "BISMT": (154, 172),
        "MEINS": (172, 175), "BRGEW": (314, 328), "NTGEW": (328, 342), "GEWEI": (342, 345),
        "VOLUM": (345, 359), "VOLEH": (359, 362), "SPART": (390, 392), "EAN11": (426, 444),
        "NUMTP": (444, 446), "LAENG": (446, 460), "BREIT": (460, 474), "HOEHE": (474, 488),
        "MEABM": (488, 491), "PRDHA": (491, 509), "MSTAE": (633, 635), "MSTAV": (635, 637),
        "MSTDE": (637, 645), "MSTDV": (645, 653), "MFRPN": (673, 713), "MFRNR": (713, 723),
        "MATNR_LONG": (948, 988),
    },
    "E2MAKTM001": {"SPRAS": (66, 67), "MAKTX": (67, 107), "SPRAS_ISO": (107, 109)},
    "E2MARMM002": {"MEINH": (66, 69), "UMREZ": (69, 74), "UMREN": (74, 79), "EAN11": (79, 97)},
    "E2MEANM": {"LFNUM": (69, 74), "EAN11": (74, 92), "EANTP": (92, 94), "HPEAN": (94, 95)},
    "E2MARCM008": {"WERKS": (66, 70), "LVORM": (85, 86), "MMSTA": (692, 694)},
    "E2MBEWM002": {
        "BWKEY": (66, 70), "VPRSV": (81, 82), "VERPR": (82, 94), "STPRS": (94, 106), "PEINH": (106, 111),
    },
    "E2MVKEM003": {"VKORG": (66, 70), "VTWEG": (70, 72), "VMSTA": (79, 81), "PRODH": (159, 177)},
    "E2MLANM": {"ALAND": (66, 69), "TATY1": (69, 73), "TAXM1": (73, 74)},
    "E2EDK01005": {
        "ACTION": (63, 66), "CURCY": (67, 70), "HWAER": (70, 73), "WKURS": (73, 85), "ZTERM": (85, 102),
        "KUNDEUINR": (102, 122), "EIGENUINR": (122, 142), "BSART": (142, 146), "BELNR": (146, 181),
        "RECIPNT_NO": (275, 285), "LIFSK": (354, 356),
    },
    "E2EDK14": {"QUALF": (63, 66), "ORGID": (66, 101)},
    "E2EDK03": {"IDDAT": (63, 66), "DATUM": (66, 74), "UZEIT": (74, 80)},
    "E2EDKA1": {"KNREF": (906, 929), "ILNNR": (929, 999)},
    "E2EDKA1003": {
        "PARVW": (63, 66), "PARTN": (66, 83), "LIFNR": (83, 100), "NAME1": (100, 135), "NAME4": (205, 240),
        "STRAS": (240, 275), "ORT01": (345, 380), "PSTLZ": (389, 398), "LAND1": (407, 410),
        "TELF1": (505, 530), "TELFX": (580, 605), "ANRED": (656, 671), "HAUSN": (706, 712),
        "REGIO": (718, 721), "BNAME": (776, 811), "KNREF": (906, 936), "ILNNR": (936, 1006),
        "PFORT": (1006, 1041), "SPRAS_ISO": (1041, 1043), "TITLE": (1043, 1058),
    },
    "E2EDK02": {"QUALF": (63, 66), "BELNR": (66, 101), "DATUM": (107, 115)},
    "E2EDK18": {"QUALF": (63, 66), "TAGE": (66, 74), "PRZNT": (74, 82), "ZTERM_TXT": (82, 152)},
    "E2EDKT1002": {"TDID": (63, 67), "TSSPRAS_ISO": (70, 72)},
    "E2EDKT2001": {"TDLINE": (63, 133), "TDFORMAT": (133, 135)},
    "E2EDP01011": {
        "POSEX": (63, 69), "ACTION": (69, 72), "MENGE": (74, 89), "MENEE": (89, 92), "VPREI": (117, 132),
        "PEINH": (132, 141), "NETWR": (141, 159), "CURCY": (217, 220), "UEPOS": (247, 253),
        "ABGRU": (275, 277), "PSTYV": (338, 342), "WERKS": (374, 378), "LGORT": (446, 450),
        "MATNR": (457, 492), "MATNR_EXTERNAL": (523, 563),
    },
    "E2EDP02002": {"BELNR": (66, 101), "ZEILE": (101, 107), "DATUM": (107, 115)},
    "E2EDP19003": {
        "QUALF": (63, 66), "IDTNR": (66, 101), "KTEXT": (101, 171), "IDTNR_EXTERNAL": (223, 263),
    },
    "E2EDP20": {"WMENG": (63, 78), "AMENG": (78, 93), "EDATU": (93, 101)},
    "E2EDP26": {"QUALF": (63, 66), "BETRG": (66, 84)},
    "E2EDP04001": {"MWSKZ": (63, 70), "MSATZ": (70, 87), "MWSBT": (87, 105)},
    "E2EDP05002": {
        "BETRG": (150, 168), "KPERC": (168, 176), "KRATE": (176, 191), "UPRBS": (191, 200),
        "MEAUN": (200, 203), "KOEIN": (275, 278),
    },
    "E2EDK05001": {"BETRG": (150, 168), "KOEIN": (245, 248)},
    "E2EDS01": {"SUMID": (63, 66), "SUMME": (66, 84), "WAERQ": (87, 90)},
    # help.sap.com, E2STATS; and what programs read of E1STATE and E1ADHDR by offset.
    "E2STATS": {"DOCNUM": (76, 92), "LOGDAT": (92, 100), "LOGTIM": (100, 106), "STATUS": (106, 108)},
    "E2STATE": {"DOCNUM": (63, 79), "STATUS": (79, 81), "STACOD": (81, 89), "STATXT": (89, 159)},
    "E2ADHDR001": {"MESTYP": (63, 69), "MESCOD": (69, 72), "MESFCT": (72, 75)},
}  # fmt: skip
# Lengths in DEBMAS (schema of DEBMAS01, which later types only add to) and of the address e-mail.
LENGTHS = {
    "E2KNA1M005": {
        "MSGFN": 3, "KUNNR": 10, "ANRED": 15, "KTOKD": 4, "LAND1": 3, "NAME1": 35, "NAME2": 35, "NAME3": 35,
        "NAME4": 35, "STRAS": 35, "ORT01": 35, "ORT02": 35, "PSTLZ": 10, "REGIO": 3, "SORTL": 10, "SPRAS": 1,
        "SPRAS_ISO": 2, "TELF1": 16, "TELFX": 31, "STCEG": 20, "STCD1": 16, "STCD2": 11, "BBBNR": 7,
        "BBSNR": 5, "BUBKZ": 1,
    },
    "E2KNVVM007": {"VKORG": 4, "VTWEG": 2, "SPART": 2, "ZTERM": 4},
    "E2KNVPM": {"PARVW": 2, "KUNN2": 10},
    "E2KNB1M006": {"ZTERM": 4, "INTAD": 130, "SMTP_ADDR": 241},
    "E2KNBKM": {"IBAN": 34},
    "E2KNVKM": {"PARNR": 10, "NAMEV": 35, "NAME1": 35},
    "E2BPADSMTP": {"E_MAIL": 241},
    "E2ADRMAS": {"OBJ_TYPE": 10, "OBJ_ID": 70},
}  # fmt: skip


@pytest.mark.parametrize("definition", OFFSETS)
def test_offsets_are_those_of_the_published_tables(definition):
    found = {name: (begin, end) for name, begin, end in load_layouts().fields[definition]}
    assert {name: found.get(name) for name in OFFSETS[definition]} == OFFSETS[definition]


@pytest.mark.parametrize("definition", LENGTHS)
def test_lengths_are_those_of_the_published_tables(definition):
    found = {name: end - begin for name, begin, end in load_layouts().fields[definition]}
    assert {name: found.get(name) for name in LENGTHS[definition]} == LENGTHS[definition]


def test_no_segment_is_wider_than_a_record_and_no_field_stands_twice():
    for definition, fields in load_layouts().fields.items():
        assert fields[-1][2] <= 1063, definition
        names = [name for name, _, _ in fields]
        assert len(names) == len(set(names)), definition


def test_every_segment_of_a_sequence_is_known_and_stands_behind_its_parent():
    layouts = load_layouts()
    assert set(layouts.sequences) == {
        "ORDERS05", "INVOIC02", "MATMAS05", "DEBMAS07", "ADRMAS02", "SYSTAT01", "ALEAUD01",
    }  # fmt: skip
    for basic_type, kinds in layouts.sequences.items():
        assert len(kinds) == len(set(kinds)), basic_type
        for place, kind in enumerate(kinds):
            assert kind in layouts.definitions, kind
            assert layouts.parents.get(kind) in (None, *kinds[:place]), kind


def test_a_type_is_written_under_its_newest_definition():
    definitions = load_layouts().definitions
    assert definitions["E1EDKA1"] == "E2EDKA1003"
    assert definitions["E1EDP19"] == "E2EDP19003"
    assert definitions["E1MARAM"] == "E2MARAM009"
    assert definitions["E1EDS01"] == "E2EDS01"


def test_the_definition_of_a_parser_file_goes_before_a_newer_one(tmp_path):
    file = tmp_path / "orders.yaml"
    file.write_text("segments:\n  E2EDKA1002: PARVW=3 PARTN=17\ntypes:\n  E2EDKA1002: E1EDKA1\n")
    assert load_layouts((file,)).definitions["E1EDKA1"] == "E2EDKA1002"


def test_a_schema_that_knows_no_version_does_not_hide_the_one_that_is_known(tmp_path):
    file = tmp_path / "orders.yaml"
    file.write_text("segments:\n  E2EDKA1: PARVW=3 PARTN=17\n  Z1OWN: COLOUR=10\n")
    definitions = load_layouts((file,)).definitions
    assert (definitions["E1EDKA1"], definitions["Z1OWN"]) == ("E2EDKA1003", "Z1OWN")
