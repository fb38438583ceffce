"""What cannot be measured as it was asked for is refused before anything is written."""

from urllib.parse import urlsplit

import msgspec

from clients.dialling import LOOPBACK
from clients.errors import ServerError
from clients.faults.nginx import program
from clients.faults.schedule import KINDS, OF_THE_SERVER, kinds_of, make_faults
from clients.files import has_line
from clients.plan import Plan
from clients.ports import sources
from clients.records import Settings
from clients.schedule import check_rate


def contradiction(settings: Settings) -> str:
    """Say what of the settings cannot be carried out, whatever the server; or nothing."""
    if settings.stall_s and settings.faults_per_s:
        return "a server that is stalled has no other faults: leave --faults-per-s out"
    if (settings.proxy or settings.fault_kinds) and not settings.faults_per_s:
        option = "--proxy" if settings.proxy else "--fault-kinds"
        return f"{option} is for where faults come: choose faults, or --faults-per-s"
    try:
        check_rate(settings)
        if settings.faults_per_s:
            make_faults(settings, "")
    except ValueError as error:
        return str(error)
    return ""


def spared(settings: Settings) -> Settings:
    """Leave out of the settings what is asked of faults, where none can come."""
    if settings.stall_s:
        settings = msgspec.structs.replace(settings, faults_per_s=0.0)
    if settings.faults_per_s:
        return settings
    return msgspec.structs.replace(settings, proxy="", fault_kinds="")


def refuse(plan: Plan, url: str | None) -> None:
    """Raise ServerError when a run, of the server at `url` or a fresh one, cannot be made."""
    settings = plan.settings
    sources(settings, plan.mode, LOOPBACK if url is None else urlsplit(url).hostname or "")
    if wrong := contradiction(settings):
        raise ServerError(wrong)
    if settings.proxy:
        program()
    if url is not None:
        _refuse_foreign(settings)
        if url.startswith("https:"):
            _refuse_tls(plan)


def _refuse_foreign(settings: Settings) -> None:
    """Raise ServerError when a server that is not ours would have to be stopped, or killed."""
    if settings.stall_s:
        raise ServerError("a server at --url cannot be stopped from here: leave --url out")
    if settings.faults_per_s and not set(OF_THE_SERVER).isdisjoint(kinds_of(settings)):
        others = ",".join(kind for kind in KINDS if kind not in OF_THE_SERVER)
        raise ServerError(
            "a server at --url can be neither stopped nor killed from here: leave --url out, or"
            f" choose --fault-kinds {others}"
        )


def _refuse_tls(plan: Plan) -> None:
    """Raise ServerError when something of ours would have to speak TLS."""
    if has_line(plan.settings):
        raise ServerError(
            "the emulated line, by which faults come too, speaks no TLS: give --url an address"
            " that begins with http://, or leave --rtt-ms and its like out"
        )
    if plan.crowd:
        raise ServerError("the counted part of a crowd speaks no TLS: raise --sample-limit")
