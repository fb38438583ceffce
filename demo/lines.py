"""Lines of output: one line each, whatever a client has put in."""


def printable(line: str) -> str:
    r"""Return `line` with all that is no visible character as an escape, such as \x1b or \n."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
