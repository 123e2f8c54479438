"""Set-up: the state of connections and flows, the login at Asperion, and trying a mapping on a sample."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
