"""What cannot be measured as it was asked for is refused before anything is written."""

from urllib.parse import urlsplit

from clients.dialling import LOOPBACK
from clients.faults.schedule import make_faults
from clients.plan import Plan
from clients.ports import sources
from clients.schedule import check_rate
from clients.server import ServerError


def refuse(plan: Plan, url: str | None) -> None:
    """Raise ServerError when a run, of the server at `url` or a fresh one, cannot be made."""
    sources(plan.settings, LOOPBACK if url is None else urlsplit(url).hostname or "")
    try:
        check_rate(plan.settings)
        if plan.settings.faults_per_s:
            make_faults(plan.settings, "")
    except ValueError as error:
        raise ServerError(str(error)) from None
    if url is not None:
        _refuse_at(plan, url)


def _refuse_at(plan: Plan, url: str) -> None:
    if url.startswith("https:") and plan.crowd:
        raise ServerError("the counted part of a crowd speaks no TLS: raise --sample-limit")
