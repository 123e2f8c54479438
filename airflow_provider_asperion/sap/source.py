"""The bytes of a file as they come: looked at before they are read, counted, decoded strictly."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from airflow_provider_asperion.sap.drafts import broken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

CHUNK = 64 * 1024
# UTF-32 before UTF-16: its mark begins with the other's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Source:
    """A stream of bytes, read once from front to back. It need not be seekable.

    :param limit: bytes after which reading stops with a fault.
    """

    def __init__(self, stream: BinaryIO, *, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._read = 0
        self.head = self._next_bytes()
        # Small reads happen (sockets): what is sniffed must not depend on them.
        while len(self.head) < CHUNK and (more := self._next_bytes()):
            self.head += more

    @property
    def marked_encoding(self) -> str | None:
        """Encoding that a byte order mark at the beginning states."""
        return next((name for mark, name in _MARKS if self.head.startswith(mark)), None)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, those that were looked at first.

        :raises BrokenFileError: the file is larger than the limit.
        """
        if self.head:
            yield self.head
        while chunk := self._next_bytes():
            yield chunk

    def _next_bytes(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        self._read += len(chunk)
        if self._read > self._limit:
            raise broken(
                "file.too_large",
                f"the file is larger than {self._limit} bytes",
                "have the sender split it, or raise limits.file_bytes (JSON: json_bytes) in the settings",
            )
        return chunk

    def texts(self, encoding: str) -> Iterator[str]:
        """Yield all text, in pieces; a byte order mark decides before ``encoding``.

        :raises BrokenFileError: a byte does not fit the encoding; the text before it was yielded.
        """
        used = self.marked_encoding or encoding
        decoder = codecs.getincrementaldecoder(used)(errors="strict")
        lines = 1
        for chunk in self._chunks_and_end():
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                text = _good_part(error, used)
                yield text
                raise _undecodable(used, lines + text.count("\n")) from None
            lines += text.count("\n")
            yield text

    def _chunks_and_end(self) -> Iterator[bytes]:
        yield from self.chunks()
        yield b""


def _good_part(error: UnicodeError, encoding: str) -> str:
    """Return the text before the byte that could not be decoded."""
    if not isinstance(error, UnicodeDecodeError):
        return ""
    # The object holds what the decoder had left over plus the chunk: its good part is whole characters. The
    # 16 and 32 bit decoders state their byte order in the name of the fault.
    name = encoding if encoding == "utf-8-sig" else error.encoding
    try:
        return error.object[: error.start].decode(name)
    except (UnicodeError, LookupError):
        return ""


def _undecodable(encoding: str, line: int) -> Exception:
    return broken(
        "file.encoding",
        f"a byte is no {encoding.removesuffix('-sig')}; nothing from there on can be read",
        "have the sender write that encoding, or set the one it writes (flat_encoding, csv.encoding)",
        line=line,
    )
