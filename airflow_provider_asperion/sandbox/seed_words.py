"""Words of the seed data: Dutch trade goods, and names that belong to nobody."""

from __future__ import annotations

GOODS = (
    ("Spaanplaatschroef", "doos", "4.95", ("3,5x30", "4x40", "4,5x50", "5x60", "6x80")),
    ("Houtdraadbout", "stuk", "0.38", ("M6x60", "M8x80", "M10x100", "M12x120")),
    ("Zeskantmoer", "doos", "3.10", ("M5", "M6", "M8", "M10", "M12")),
    ("Sluitring", "doos", "2.25", ("M5", "M6", "M8", "M10")),
    ("Pijpklem", "stuk", "0.89", ("15 mm", "22 mm", "28 mm", "35 mm")),
    ("PVC-buis", "meter", "3.75", ("32 mm", "40 mm", "75 mm", "110 mm", "125 mm")),
    ("Kogelkraan", "stuk", "8.40", ("1/2 inch", "3/4 inch", "1 inch")),
    ("Installatiekabel", "meter", "1.15", ("3x1,5", "3x2,5", "5x2,5", "5x4")),
    ("Lasdoos", "stuk", "1.95", ("70x70", "85x85", "100x100")),
    ("Ledlamp", "stuk", "4.49", ("4 W", "7 W", "9 W", "13 W")),
    ("Muurverf", "emmer", "32.50", ("2,5 l", "5 l", "10 l")),
    ("Houtlak", "blik", "14.95", ("0,75 l", "1 l", "2,5 l")),
    ("Kitpatroon", "stuk", "5.60", ("wit", "grijs", "transparant", "zwart")),
    ("Werkhandschoen", "paar", "3.85", ("maat 8", "maat 9", "maat 10", "maat 11")),
    ("Veiligheidsbril", "stuk", "6.20", ("helder", "getint")),
    ("Bezem", "stuk", "9.75", ("30 cm", "40 cm", "60 cm")),
    ("Kruiwagen", "stuk", "79.00", ("85 l", "100 l")),
    ("Tuinslang", "meter", "1.65", ("12,5 mm", "19 mm", "25 mm")),
    ("Koffiebonen", "zak", "11.90", ("500 g", "1 kg")),
    ("Kopieerpapier", "pak", "5.25", ("A4 80 g", "A4 90 g", "A3 80 g")),
    ("Archiefdoos", "stuk", "1.10", ("klein", "groot")),
    ("Verhuisdoos", "stuk", "1.45", ("standaard", "boeken", "garderobe")),
)
"""Name, unit, usual price and sizes."""

REDUCED_RATE = frozenset({"Koffiebonen"})

FIRST_NAMES = (
    "Anna",
    "Bram",
    "Carla",
    "Daan",
    "Els",
    "Freek",
    "Greet",
    "Hugo",
    "Iris",
    "Joris",
    "Kim",
    "Lars",
)
LAST_NAMES = (
    "Akkerman", "Bloem", "Couperus", "Dijkgraaf", "Eikelboom", "Fonteyn", "Grasveld", "Hagedoorn", "IJsbrand",
    "Kersenboom", "Lindeman", "Molenwiek", "Notenboom", "Oosterling", "Populier", "Rietveen", "Sterrenberg",
)  # fmt: skip
TRADES = ("Bouwmaterialen", "Installatietechniek", "Schildersbedrijf", "Hoveniers", "Techniek", "Verlichting")
STREETS = ("Voorbeeldstraat", "Proeflaan", "Testweg", "Zandbakplein", "Oefenkade", "Modelsingel", "Schijnpad")
CITIES = (
    "Amersfoort",
    "Breda",
    "Deventer",
    "Eindhoven",
    "Groningen",
    "Leiden",
    "Nijmegen",
    "Utrecht",
    "Zwolle",
)
MAIL_DOMAINS = ("example.com", "example.nl", "example.org")
