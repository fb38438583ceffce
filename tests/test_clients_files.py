"""The limit of open files is raised where the system allows it, and named where it does not."""

import subprocess
import sys

import pytest

from clients.errors import ServerError
from clients.files import allow_files, most_clients

resource = pytest.importorskip("resource")

RAISED = """
import resource, subprocess, sys
from clients.files import allow_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
allow_files(200, line=%r)
child = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
subprocess.run([sys.executable, "-c", child], check=True)
"""


@pytest.mark.parametrize(("line", "files"), [(False, 264), (True, 464)])
def test_processes_that_are_started_may_open_as_many_files_as_there_are_clients(
    line: bool, files: int
) -> None:
    # In a process of its own, so that the tests keep their limit.
    said = subprocess.run(
        [sys.executable, "-c", RAISED % line], check=True, capture_output=True, text=True
    )
    assert int(said.stdout) == files


ALL = """
import resource
from {0} import {1}
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
{1}()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], hard)
"""


@pytest.mark.parametrize(
    "function", [("demo.files", "allow_files"), ("clients.files", "allow_all_files")]
)
def test_server_and_line_take_what_the_system_gives(function: tuple[str, str]) -> None:
    said = subprocess.run(
        [sys.executable, "-c", ALL.format(*function)], check=True, capture_output=True, text=True
    )
    soft, hard = map(int, said.stdout.split())
    assert soft in {hard, 10_240}


def test_more_than_the_system_allows_is_refused() -> None:
    with pytest.raises(ServerError, match=r"this system allows .* use fewer --clients"):
        allow_files(10**9)
    with pytest.raises(ServerError, match=r"two for each on the line.*`ulimit -n 2000000064`"):
        allow_files(10**9, line=True)


def test_most_clients_are_allowed() -> None:
    assert most_clients() > 100
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        allow_files(min(most_clients(), 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_without_a_limit_there_may_be_any_number_of_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)
    assert most_clients() == sys.maxsize
