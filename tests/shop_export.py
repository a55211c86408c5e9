"""Two months of a shop's orders, as its spreadsheet program exports them: a dirty CSV that people really have.

A title above the header, Latin letters of Windows, Windows line ends, semicolons, decimal commas, points for thousands,
two date formats, texts for "no value", line breaks within quotes, a row that is cut off, and a row of totals.
"""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

HEADER = (
    "Bestell-Nr.", "Bestelldatum", "Kunden-Nr.", "Straße", "Artikel", "Menge", "Stückpreis (€)", "Gesamt (€)",
    "Zahlart", "Bezahlt", "Bemerkung",
)  # fmt: skip
ARTICLES = {"Füller M205": 12900, "Notizbuch A5": 1495, "Tinte blau": 690, "Schreibtisch Eiche": 124900, "Radierer": 95}
PAYMENTS = ("Rechnung", "Karte", "PayPal", "Vorkasse")
STREETS = ("Grüner Weg", "Schloßstraße", "Am Markt", "Königsallee", "Bahnhofstr.")
REMARKS = ("", "", "", "", "k. A.", "bitte klingeln", "Rückgabe angekündigt;\nKunde ruft an", 'Aufdruck "Süß"')
ORDERS_OF_A_MONTH = 400


def write_export(folder: Path, month: date) -> Path:
    """The export of the month that begins on this day. The same month always gives the same bytes."""
    chance = random.Random(month.toordinal())
    first = 260_000 + (month.year * 12 + month.month) * ORDERS_OF_A_MONTH
    rows = [_order(chance, first + place, month) for place in range(ORDERS_OF_A_MONTH)]
    total = sum(_cents(row[7]) for row in rows)
    text = StringIO()
    text.write(f"Bestellungen {month:%m/%Y} - Stand {_german(month + timedelta(days=32))}\r\n")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(rows[:-1])
    text.write(";".join(rows[-1][:4]) + "\r\n")
    writer.writerow(["Summe", "", "", "", "", "", "", _money(total), "", "", ""])
    path = folder / f"Bestellungen {month:%Y-%m}.csv"
    path.write_bytes(text.getvalue().encode("cp1252"))
    return path


def _order(chance: random.Random, number: int, month: date) -> list[str]:
    article = chance.choice(list(ARTICLES))
    pieces = chance.choice((1, 1, 1, 2, 3, 10))
    day = month + timedelta(days=chance.randrange(28))
    return [
        str(number),
        day.isoformat() if chance.random() < 0.1 else _german(day),
        f"K{chance.randrange(1000, 1250)}",
        f"{chance.choice(STREETS)} {chance.randrange(1, 120)}",
        article,
        str(pieces),
        _money(ARTICLES[article]),
        _money(ARTICLES[article] * pieces),
        chance.choice(PAYMENTS),
        chance.choice(("ja", "ja", "nein")),
        chance.choice(REMARKS),
    ]


def _german(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _money(cents: int) -> str:
    """`1.249,00`."""
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))


def _cents(text: str) -> int:
    return int(text.replace(".", "").replace(",", ""))
