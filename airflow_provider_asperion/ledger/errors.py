"""What goes wrong in a ledger other than a problem of a record: somebody else has the work now."""

from __future__ import annotations


class SessionLost(Exception):  # noqa: N818 - it says what happened
    """The lease of a work session is over, or about to be: nothing more may be sent in its name."""


class GripLost(Exception):  # noqa: N818 - it says what happened
    """A document or file is not held by the caller (any more). It must not be acted upon."""
