"""Draw what came of the fuzzing as a table."""

from rich.table import Table

from tests.fuzz.run import Result

SHOWN = 6  # answers of a kind; the others are counted together


def table(result: Result) -> Table:
    """A row for each kind of input: how often tried, how answered, how long the slowest took."""
    drawn = Table("input", "tried", "answered", "slowest, ms", "failed")
    for kind, answers in result.answers.items():
        failed = sum(failure.kind == kind for failure in result.failures)
        usual = answers.most_common(SHOWN)
        words = [f"{words} x {count:,}" for words, count in usual]
        if rest := answers.total() - sum(count for _, count in usual):
            words.append(f"others x {rest:,}")
        slowest = f"{result.slowest_s[kind] * 1e3:,.0f}"
        drawn.add_row(kind, f"{answers.total():,}", " · ".join(words), slowest, str(failed))
    return drawn
