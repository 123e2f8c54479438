"""Hashes: fingerprints of content, and keyed hashes in whose place personal identities are never stored."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def fingerprint(*parts: bytes) -> str:
    """Return the SHA-256 of content, hexadecimal. Parts count with their length: ab, c is not a, bc."""
    digest = hashlib.sha256()
    for encoded in _framed(parts):
        digest.update(encoded)
    return digest.hexdigest()


class IdentityHasher:
    """Makes keyed hashes (HMAC-SHA256) of personal identities.

    A plain hash of an e-mail address can be undone by trying addresses; without the secret this one cannot.

    :param secret: at least 32 random bytes; see :func:`tokens.TokenVault.identity_hasher`. Another secret
        makes other hashes, by which nobody is found again.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret of keyed hashes needs at least 32 bytes")
        self._secret = secret

    def __call__(self, *parts: str) -> str:
        """Return the keyed hash of an identity, say ``hasher("email", normalised_address)``, hexadecimal."""
        code = hmac.new(self._secret, digestmod=hashlib.sha256)
        for encoded in _framed(part.encode() for part in parts):
            code.update(encoded)
        return code.hexdigest()


def _framed(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield len(part).to_bytes(8, "big")
        yield part
