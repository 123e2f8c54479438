"""Countries: from what SAP files hold (ISO alpha-2, alpha-3, a name) to ISO 3166-1 alpha-2."""

from __future__ import annotations

# ISO 3166-1: alpha-3 and alpha-2 side by side.
_CODES = """
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT
    AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO
    BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG
    COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO
    DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB
    GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY
    HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT
    JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY
    LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH
    MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA
    NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE
    PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA
    SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR
    SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO
    TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG
    VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW
"""

# Codes that are in use without being ISO's: the EU's for Greece, the United Kingdom's own.
_UNOFFICIAL = {"EL": "GR", "UK": "GB"}

# Names in Dutch, English, German and French, for the countries that webshops name in full; `|` is a blank.
_NAMES = {
    "NL": "nederland netherlands the|netherlands niederlande pays-bas holland",
    "BE": "belgië belgie belgium belgien belgique",
    "DE": "duitsland germany deutschland allemagne",
    "LU": "luxemburg luxembourg",
    "FR": "frankrijk france frankreich",
    "GB": (
        "verenigd|koninkrijk groot-brittannië groot-brittannie united|kingdom great|britain "
        "engeland england grossbritannien großbritannien vereinigtes|königreich royaume-uni"
    ),
    "IE": "ierland ireland irland irlande",
    "AT": "oostenrijk austria österreich osterreich autriche",
    "CH": "zwitserland switzerland schweiz suisse",
    "ES": "spanje spain spanien españa espana espagne",
    "PT": "portugal",
    "IT": "italië italie italy italien italia",
    "DK": "denemarken denmark dänemark danmark danemark",
    "SE": "zweden sweden schweden sverige suède",
    "NO": "noorwegen norway norwegen norge norvège",
    "FI": "finland finnland suomi finlande",
    "PL": "polen poland polska pologne",
    "CZ": "tsjechië tsjechie czechia czech|republic tschechien česko tchéquie",
    "SK": "slowakije slovakia slowakei slovensko slovaquie",
    "HU": "hongarije hungary ungarn magyarország hongrie",
    "RO": "roemenië roemenie romania rumänien românia roumanie",
    "BG": "bulgarije bulgaria bulgarien bulgarie",
    "GR": "griekenland greece griechenland grèce",
    "HR": "kroatië kroatie croatia kroatien hrvatska croatie",
    "SI": "slovenië slovenie slovenia slowenien slovenija slovénie",
    "EE": "estland estonia eesti estonie",
    "LV": "letland latvia lettland latvija lettonie",
    "LT": "litouwen lithuania litauen lietuva lituanie",
    "MT": "malta malte",
    "CY": "cyprus zypern chypre",
    "US": ("verenigde|staten united|states united|states|of|america vereinigte|staaten états-unis usa"),
    "CA": "canada kanada",
    "TR": "turkije turkey türkei türkiye turquie",
    "CN": "china chine",
    "JP": "japan japon",
}

_TO_ALPHA_2 = {pair[:3]: pair[3:] for pair in _CODES.split()}
_ALPHA_2 = frozenset(_TO_ALPHA_2.values())
_BY_NAME = {name.replace("|", " "): code for code, names in _NAMES.items() for name in names.split()}


def alpha_2(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a code or name, in whatever case; None when it is neither."""
    code = text.strip().upper()
    code = _UNOFFICIAL.get(code, code)
    if code in _ALPHA_2:
        return code
    return _TO_ALPHA_2.get(code) or _BY_NAME.get(" ".join(text.casefold().split()))
