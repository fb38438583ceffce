"""What cannot be measured as it was asked for is refused in one line, and what can be is not."""

import pytest
from msgspec.structs import replace

from clients.errors import ServerError
from clients.experiment import Ambition, plans
from clients.faults import nginx
from clients.plan import Plan
from clients.refusals import refuse
from clients.scenarios import SCENARIOS
from tests.test_clients_experiment import tiny

HTTP, HTTPS = "http://127.0.0.1:1", "https://127.0.0.1:1"


def plan(name: str, **changes: object) -> Plan:
    """Return a run of a scenario, with other settings."""
    scenario = SCENARIOS[name] if name in SCENARIOS else tiny()
    listed = plans(Ambition(scenario, seed=1))
    return replace(listed[0], settings=replace(listed[0].settings, **changes))


@pytest.mark.parametrize(
    ("name", "changes", "url", "says"),
    [
        ("tiny", {"rtt_ms": 5.0}, HTTPS, "speaks no TLS: give --url an address that begins with"),
        ("tiny", {"kbit_per_s": 5.0}, HTTPS, "or leave --rtt-ms and its like out"),
        ("faults", {"fault_kinds": "cut"}, HTTPS, "by which faults come too, speaks no TLS"),
        ("tiny", {"sample_limit": 2}, HTTPS, "speaks no TLS: raise --sample-limit"),
        ("faults", {}, HTTP, "leave --url out, or choose --fault-kinds cut,stall,drop,sleep"),
        ("faults", {"fault_kinds": "cut,pause"}, HTTP, "neither stopped nor killed from here"),
        ("stall", {}, HTTP, "cannot be stopped from here: leave --url out"),
        ("faults", {"faults_per_s": 9.0}, None, "810 faults take"),
    ],
)
def test_what_cannot_be_is_refused(
    name: str, changes: dict[str, object], url: str | None, says: str
) -> None:
    with pytest.raises(ServerError, match=says):
        refuse(plan(name, **changes), url)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_measured(name: str) -> None:
    refuse(plan(name), None)


@pytest.mark.parametrize(("name", "url"), [("tiny", HTTP), ("tiny", HTTPS), ("faults", HTTP)])
def test_a_server_elsewhere_can_be(name: str, url: str) -> None:
    refuse(plan(name, fault_kinds="cut,stall,drop,sleep" if name == "faults" else ""), url)


def test_a_proxy_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "PLACES", "/nowhere")
    with pytest.raises(ServerError, match="nginx is not installed: install it, or leave --proxy"):
        refuse(plan("faults", proxy="nginx"), None)
