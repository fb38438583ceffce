"""Values for queries, headers and JSON that a careless parser takes for something else."""

from random import Random

NUMBERS = (
    "0", "1", "-1", "-0", "+1", "00", "1.0", "1.5", "1e3", "1e400", "-1e400", "0x10", "1_0", " 1",
    "1 ", "", "nan", "NaN", "inf", "-inf", "Infinity", "null", "true", "٣", "\uff11", "½",
    "9007199254740991", "9007199254740992", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "-9223372036854775809", "9" * 40, "9" * 4000, "1," * 50, "%", "%zz",
    "%00", "%0d%0aX:y", "%ff", "1%", "1&after=2", "1;2", "1#2", "'", '"', "\\", "../..", "{}", "[]",
)  # fmt: skip


def number(chance: Random) -> str:
    """Return a number, or what is none."""
    if chance.random() < 0.3:
        digits = str(chance.getrandbits(chance.choice((1, 8, 31, 53, 64, 200))))
        return chance.choice(("", "", "-")) + digits
    return chance.choice(NUMBERS)


def quoted(text: str) -> str:
    """Escape what cannot stand in a request line, and nothing else."""
    return "".join(
        each if "!" <= each <= "~" and each != "#" else "".join(f"%{b:02X}" for b in each.encode())
        for each in text
    )
