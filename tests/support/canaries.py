"""Values that are found wherever they turn up: byte by byte, and through compression."""

from __future__ import annotations

import contextlib
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Canaries of one person who is in an order file and in Asperion.
NAME, STREET, CITY = "Kanaria Vogelzang", "Kanariepietstraat", "Zangvogelhuizen"
EMAIL, PHONE = "kanaria.vogelzang@canary.example", "0619198417"
NOTE = "zet maar achter het duivenhok"
PERSON = (NAME, STREET, CITY, EMAIL, PHONE, NOTE)
_ZLIB = (b"x\x01", b"x\x9c", b"x\xda")


def traces(*folders: Path, of: Iterable[str] = PERSON, but: Iterable[str] = ()) -> list[str]:
    """Return where a value stands in any file of some folders, in whatever letter case.

    :param but: names of files that are left out.
    """
    wanted = [(value, value.lower().encode()) for value in of]
    return [
        f"{path.name}: {value}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
        for content in [b"\n".join(views(path.read_bytes()))]
        for value, bytes_ in wanted
        if bytes_ in content
    ]


def views(content: bytes) -> Iterator[bytes]:
    """Yield a content in small letters, and all that is compressed in it: a packed value is no secret."""
    yield content.lower()
    for mark in _ZLIB:
        place = content.find(mark)
        while place >= 0:
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj().decompress(content[place:]).lower()
            place = content.find(mark, place + 1)
