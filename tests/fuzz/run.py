"""Run cases one after another, each followed by a look at the server and at its other readers."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

import aiohttp

from tests.fuzz.answer import Answer, Nonsense
from tests.fuzz.case import Case
from tests.fuzz.controls import Controls, Disturbed, controls
from tests.fuzz.kinds import KINDS
from tests.fuzz.server import Server, started
from tests.fuzz.talk import Stuck, talk

WARM = 200  # cases after which memory is compared with
MORE_MIB = 48.0  # that the server may take beyond that
MOST_FAILURES = 20
FAULTS = frozenset(range(500, 600))
UNREAD = frozenset({"cut", "not read"})


@dataclass(frozen=True)
class Failure:
    """A case after which something was wrong."""

    number: int
    kind: str
    what: str
    sent: bytes

    def __str__(self) -> str:
        return f"case {self.number}, {self.kind}: {self.what}; sent {self.sent!r}"


@dataclass
class Result:
    """How the cases were answered, by kind; and what went wrong."""

    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    failures: list[Failure] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    checks: int = 0
    slowest_check_s: float = 0.0

    @property
    def cases(self) -> int:
        return sum(counts.total() for counts in self.answers.values())


async def fuzz(
    names: Sequence[str], seed: int, numbers: Iterable[int], options: Sequence[str] = ()
) -> Result:
    """Run the cases of these numbers, of each kind in turn; stop early when much goes wrong."""
    result = Result()
    async with started(options) as server:
        try:
            async with controls(server.url) as control:
                for number in numbers:
                    await _try(names[number % len(names)], seed, number, server, control, result)
                    if len(result.failures) >= MOST_FAILURES:
                        break
                result.checks = control.published
        except (Disturbed, aiohttp.ClientError, TimeoutError) as error:
            what = f"{type(error).__name__}: {error}"
            result.failures.append(Failure(-1, "before or after the cases", what, b""))
    if server.wrong:
        what = "the server printed " + " | ".join(server.wrong)[:2000]
        result.failures.append(Failure(-1, "at the end", what, b""))
    return result


async def _try(
    kind: str, seed: int, number: int, server: Server, control: Controls, result: Result
) -> None:
    case = KINDS[kind](Random(f"{seed}/{number}"))
    begun_s = time.monotonic()
    answer = Answer()
    wrong: str | None
    try:
        answer = await talk(server.port, case)
        wrong = _wrong(answer, case)
    except (Nonsense, Stuck, OSError) as error:
        wrong = f"{type(error).__name__}: {error}"
    took_s = time.monotonic() - begun_s
    result.answers[kind][answer.words] += 1
    result.slowest_s[kind] = max(result.slowest_s[kind], took_s)
    wrong = wrong or await _aftermath(server, control, result)
    if wrong is not None:
        result.failures.append(Failure(number, kind, wrong, b"".join(case.pieces)[:300]))


def _wrong(answer: Answer, case: Case) -> str | None:
    """Say what is wrong with an answer."""
    if FAULTS & set(answer.statuses):
        return f"a fault of the server's: {answer.words}"
    if answer.ended not in UNREAD and not case.wants(answer):
        return f"not to be answered so: {answer.words} {answer.statuses} {answer.frames[:3]}"
    return None


async def _aftermath(server: Server, control: Controls, result: Result) -> str | None:
    """Say what is wrong with the server, or with who else is there."""
    begun_s = time.monotonic()
    try:
        await control.check()
        result.slowest_check_s = max(result.slowest_check_s, time.monotonic() - begun_s)
        memory_mib = await control.memory_mib()
    except (Disturbed, aiohttp.ClientError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    result.memory_mib.append(memory_mib)
    if len(result.memory_mib) > WARM and memory_mib > result.memory_mib[WARM] + MORE_MIB:
        return f"memory is {memory_mib:.0f} MiB, it was {result.memory_mib[WARM]:.0f}"
    if server.wrong:
        lines, server.wrong = server.wrong, []
        return "the server printed " + " | ".join(lines)[:2000]
    return None
