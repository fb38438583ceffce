"""Promises whose end nobody may hear of. No network here."""

import asyncio
from typing import Any


def unheard(promise: asyncio.Future[Any]) -> None:
    """Take note of an error that whoever asked may have given up waiting for."""
    if not promise.cancelled():
        promise.exception()
