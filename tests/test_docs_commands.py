"""What the documents tell a reader to measure is not refused. Nothing is measured here."""

import re
import shlex
from pathlib import Path

import pytest

from clients.experiment import plans
from clients.options import parse
from clients.refusals import refuse

HOUSE = Path(__file__).parent.parent
DOCUMENTS = (HOUSE / "README.md", *HOUSE.glob("docs/*.md"), HOUSE / "demo/page/handout.html")
COMMAND = re.compile(r'make compare ARGS="([^"]+)"|(?:[`/]compare|-m clients) ([^`#\n]+)')
TOLD = {
    (path.name, once or other)
    for path in DOCUMENTS
    for once, other in COMMAND.findall(path.read_text("utf-8"))
}


@pytest.mark.parametrize(("document", "arguments"), sorted(TOLD))
def test_a_command_of_the_documents_can_be_carried_out(
    monkeypatch: pytest.MonkeyPatch, document: str, arguments: str
) -> None:
    monkeypatch.setattr("clients.refusals.program", lambda: "nginx")  # if it were installed
    command = parse(document, shlex.split(arguments), default="quick")
    ambitions = (command.ambition, *command.every)
    listed = [plan for each in ambitions if each is not None for plan in plans(each)]
    assert listed or "--" in arguments  # --list and --self-check measure no scenario
    for plan in listed:
        refuse(plan, None)


def test_the_commands_are_found() -> None:
    assert {document for document, _ in TOLD} >= {"README.md", "lesson.md", "handout.html"}
    assert ("lesson.md", "quick --rate 0.5 --duration-s 20") in TOLD
