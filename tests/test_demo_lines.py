import pytest

from demo.lines import printable


@pytest.mark.parametrize("line", ["", "refused a page of 'x'", "Zoë 名前"])
def test_a_line_of_visible_characters_is_left_as_it_is(line: str) -> None:
    assert printable(line) == line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("\u202eright to left", r"\u202eright to left"),
        ("\udcff of no encoding", r"\udcff of no encoding"),
        ("\x9b", r"\x9b"),
    ],
)
def test_whatever_else_is_in_it_is_escaped(line: str, shown: str) -> None:
    assert printable(line) == shown
