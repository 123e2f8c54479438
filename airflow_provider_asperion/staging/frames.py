"""The form of a batch: lines, packed into frames that are compressed and encrypted one by one.

A batch is a 4-byte mark and then frames. A frame is its length (4 bytes, big-endian) and a Fernet token. The
token holds the number of the frame (8 bytes), whether it is the last one (1 byte), and the compressed lines.
So a reader needs the memory of one frame, and sees when frames are missing, doubled or in another order.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = b"ASB1"
FRAME_BYTES = 1 << 20  # of lines, before compression; one longer line makes one larger frame
_LARGEST_TOKEN = 1 << 28


class Cipher(Protocol):
    """What ``cryptography``'s Fernet and MultiFernet offer."""

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt and sign."""

    def decrypt(self, msg: bytes) -> bytes:
        """Undo :meth:`encrypt`; raises when the key is another one or the content was touched."""


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


class BrokenBatchError(Exception):
    """The bytes are not those of a whole batch in its order; the text says why."""


def frames(records: Iterable[bytes], cipher: Cipher, frame_bytes: int = FRAME_BYTES) -> Iterator[bytes]:
    """Yield the bytes of a batch, part by part.

    :param records: each one line of JSON, without its line end.
    :raises ValueError: a record holds a line end.
    """
    yield MARK
    number = 0
    lines: list[bytes] = []
    size = 0
    for record in records:
        if b"\n" in record:
            raise ValueError("a record of a batch is one line, without a line end")
        if size >= frame_bytes:
            yield _frame(cipher, number, lines, last=False)
            number, lines, size = number + 1, [], 0
        lines.append(record)
        size += len(record) + 1
    yield _frame(cipher, number, lines, last=True)


def records_of(stream: Readable, cipher: Cipher) -> Iterator[bytes]:
    """Yield the records of a batch.

    :raises BrokenBatchError: it is cut off, touched, or encrypted with another key.
    """
    if stream.read(len(MARK)) != MARK:
        raise BrokenBatchError("it does not begin as a batch does")
    number = 0
    last = False
    while not last:
        length = int.from_bytes(_exactly(stream, 4), "big")
        if length > _LARGEST_TOKEN:
            raise BrokenBatchError("the length of a frame is out of bounds")
        try:
            content = cipher.decrypt(_exactly(stream, length))
        except BrokenBatchError:
            raise
        except Exception:  # each kind of cipher has its own, all without a text
            raise BrokenBatchError("it was touched, or encrypted with another key") from None
        if int.from_bytes(content[:8], "big") != number:
            raise BrokenBatchError("its frames are not in their order")
        last = content[8:9] == b"\x01"
        number += 1
        lines = zlib.decompress(content[9:])
        yield from lines.split(b"\n")[:-1]
    if stream.read(1):
        raise BrokenBatchError("something follows its last frame")


def _frame(cipher: Cipher, number: int, lines: list[bytes], *, last: bool) -> bytes:
    # Level 1: a batch lives for minutes; the time of a better level is worth more than a tenth of its size.
    packed = zlib.compress(b"".join(line + b"\n" for line in lines), 1)
    token = cipher.encrypt(number.to_bytes(8, "big") + (b"\x01" if last else b"\x00") + packed)
    return len(token).to_bytes(4, "big") + token


def _exactly(stream: Readable, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise BrokenBatchError("it is cut off")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
