"""Each answer says what its figures are, and nothing where they do not bear it."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from analysis import headlines
from analysis.agreement import differences, within
from analysis.answers import ANSWERS, answer
from analysis.answers.server import _falls
from analysis.chapters import CHAPTERS
from analysis.rows import rows
from analysis.summary import summarise
from clients.log import Log, Run, Settings
from clients.scenarios import SCENARIOS
from tests.made_log import SETTINGS, made, without_polls

FEW = replace(SETTINGS, duration_s=6, clients=3)
Made = Callable[..., str | None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


@pytest.fixture
def said(tmp_path: Path) -> Made:
    """Make a log of a scenario, and return the answer to its question."""

    def say(name: str, *settings: Settings, **options: object) -> str | None:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        log = named(made(folder, *settings, trials=1, **options), name)
        return answer(log, rows(log, summarise(log)))

    return say


def named(log: Log, scenario: str) -> Log:
    return replace(log, experiment=replace(log.experiment, scenario=scenario))


def sweep(**values: tuple[float, ...]) -> list[Settings]:
    ((name, several),) = values.items()
    return [replace(FEW, **{name: value}) for value in several]


def test_every_scenario_has_an_answer_and_a_chapter_in_the_order_of_all() -> None:
    assert list(ANSWERS) == list(CHAPTERS) == list(SCENARIOS)


def test_a_feed_costs_latency_requests_and_bytes(said: Made) -> None:
    text = said("quick", FEW) or ""
    assert text.startswith("On average a message is ")
    for name in ("short polling, for", "long polling, for", "WebSocket, for"):
        assert name in text
    assert text.count("requests") == text.count("bytes") == 1


def test_empty_answers_are_counted_among_a_hundred(said: Made) -> None:
    text = said("chat", replace(FEW, rate_per_s=0.5)) or ""
    assert text.startswith("Of 100 answers, ")
    assert "none by long polling bring nothing" in text


def test_latency_times_requests_is_a_half_at_any_interval(said: Made) -> None:
    several = [replace(each, duration_s=60) for each in sweep(interval_s=(0.2, 0.5, 1))]
    text = said("interval", *several) or ""
    assert "every 0.2 s in place of every 1 s" in text
    assert "is 0.4" in text or "is 0.5" in text


def test_a_single_interval_gives_no_answer(said: Made) -> None:
    assert said("interval", FEW) is None


def test_distance_adds_a_transit_to_websocket(said: Made, tmp_path: Path) -> None:
    log = named(made(tmp_path / "far", *sweep(rtt_ms=(0, 100)), trials=1), "distance")
    summary = summarise(log)
    far = pl.col("rtt_ms") == 100
    transits = {"short": 2.0, "long": 1.5, "ws": 1.0}
    for mode, grown in transits.items():
        here = pl.col("mode") == mode
        near = summary.filter(here, ~far)["latency_mean_ms"][0]
        grew = pl.when(here & far).then(near + 50 * grown).otherwise("latency_mean_ms")
        summary = summary.with_columns(latency_mean_ms=grew)
    text = answer(log, rows(log, summary)) or ""
    assert "short polling's by 2.0, long polling's by 1.5 and WebSocket's by 1.0" in text


def test_distance_that_was_not_reached_has_no_p99_in_transits(said: Made) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "long" or not run.rtt_ms)

    text = said("distance", *sweep(rtt_ms=(0, 200)), spoil=spoil) or ""
    assert "WebSocket's by" in text
    assert "p99" not in text


def test_the_rate_at_which_polling_needs_fewer_requests_is_given(said: Made) -> None:
    text = said("rate", *sweep(rate_per_s=(0.5, 2, 8))) or ""
    assert text.startswith("Short polling takes fewer requests than long polling above about 1.")
    assert "fewer bytes than WebSocket at no rate up to 8" in text


def test_a_longer_hold_asks_less(said: Made) -> None:
    text = said("hold", *sweep(hold_s=(1, 4)), modes=("long",)) or ""
    assert text.startswith("Held for 1 s, a client asks ")
    assert "; held for 4 s, " in text


def test_the_size_from_which_overhead_is_small_lies_between_the_sizes(said: Made) -> None:
    text = said("payload", *sweep(payload_bytes=(20, 200)), modes=("ws",)) or ""
    found = re.search(r"about (\d+) bytes over WebSocket", text)
    assert found is not None
    assert 20 < int(found[1]) < 200


def test_a_text_that_compresses_to_less_than_itself_has_no_overhead_left() -> None:
    rows = [{"payload_bytes": size, "overhead": share} for size, share in ((64, 0.5), (4096, -0.2))]
    assert _falls(rows).startswith("about ")


def test_new_connections_lengthen_the_cycle(said: Made) -> None:
    far = replace(FEW, rtt_ms=100)
    text = said("reconnect", far, replace(far, keepalive=False)) or ""
    assert text.startswith("Short polling's mean latency grows from ")
    assert "; long polling's mean latency grows from " in text


def test_compression_is_held_against_none(said: Made) -> None:
    text = said("deflate", FEW, replace(FEW, deflate=True), modes=("ws",)) or ""
    assert text.startswith("Compression saves 0\u00a0% of the bytes of a message with 100 bytes")
    assert "KiB for each reader in place of" in text


def test_a_crowd_is_answered_at_its_largest(said: Made) -> None:
    text = said("crowd", *sweep(clients=(1, 5))) or ""
    assert text.startswith("Among 5 clients each takes ")
    assert (
        "from 1 client to 5, mean latency over WebSocket grows from 1.0\u00a0ms to 1.1\u00a0ms"
        in text
    )


def test_a_stall_is_seen_from_the_intended_time_alone(said: Made, tmp_path: Path) -> None:
    log = named(made(tmp_path / "stall", replace(FEW, stall_s=1), trials=1), "stall")
    late = log.deliveries.with_columns(pl.col("sent_ns") - 10**9)
    held = replace(log, deliveries=late)
    text = answer(held, rows(held, summarise(held))) or ""
    assert "p99 is 1.0\u00a0s from the intended time and 1.1\u00a0ms from publish" in text
    assert "; short polling's is 2.0\u00a0s and " in text
    assert said("stall", FEW) is None


def test_long_polling_is_given_in_transits(said: Made) -> None:
    far = replace(FEW, rtt_ms=2)
    text = said("rfc6202", *(replace(far, rate_per_s=rate) for rate in (1, 4))) or ""
    assert "messages/s, in transits of 1.0\u00a0ms; its longest" in text


def test_agreement_with_theory_is_counted_and_the_furthest_named(folder: Path) -> None:
    log = named(made(folder / "theory", FEW, trials=1), "theory")
    summary = summarise(log).with_columns(
        [pl.lit(1.0).alias(f"{name}_theory_difference_percent")
         for name in ("latency_mean_ms", "latency_p99_ms", "requests_per_client_s", "empty_share")]
    )  # fmt: skip
    near = rows(log, summary)
    assert answer(log, near) == "All 12 figures are within 5\u00a0% of theory"
    off = pl.when(pl.col("mode") == "long").then(-40.0).otherwise(1.0)
    far = near.with_columns(latency_p99_ms_theory_difference_percent=off)
    assert (answer(log, far) or "").endswith("is long polling's p99 (\u221240\u00a0%)")
    assert [within(differences(far), percent) for percent in (5, 40)] == [11, 12]


def test_shares_that_are_nearly_alike_do_not_differ(folder: Path) -> None:
    log = named(made(folder / "share", FEW, trials=1), "theory")
    summary = summarise(log).with_columns(
        pl.col("^.*_theory_difference_percent$").clip(-1, 1),
        empty_share=pl.lit(0.001),
        theory_empty_share=pl.lit(0.005),
    )
    summary = summary.with_columns(empty_share_theory_difference_percent=pl.lit(-80.0))
    assert abs(differences(rows(log, summary))[0].percent) < 80


def test_a_log_that_theory_says_nothing_of_does_not_agree_with_it(said: Made) -> None:
    assert said("theory", replace(FEW, stall_s=1)) is None


def test_what_one_setting_alone_cannot_tell_is_not_answered(folder: Path) -> None:
    log = made(folder / "one", FEW, trials=1)
    every = rows(log, summarise(log))
    told = {name for name in ANSWERS if answer(named(log, name), every) is not None}
    assert told == {"quick", "chat", "theory"}


@pytest.mark.parametrize(
    ("name", "another"),
    [("distance", {"payload_bytes": (20, 200)}), ("crowd", {"payload_bytes": (20, 200)}),
     ("rate", {"interval_s": (0.5, 2)}), ("payload", {"rate_per_s": (1, 4)})],
)  # fmt: skip
def test_a_sweep_of_another_setting_is_no_answer(
    said: Made, name: str, another: dict[str, tuple[float, ...]]
) -> None:
    assert said(name, *sweep(**another)) is None


def test_a_mode_that_was_not_measured_near_and_far_says_nothing_of_distance(said: Made) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=(run.mode == "long") == (run.rtt_ms > 0))

    assert said("distance", *sweep(rtt_ms=(0, 100)), modes=("short", "long"), spoil=spoil) is None


def test_what_an_unwatched_server_took_is_left_out(said: Made) -> None:
    def unwatch(run: Run) -> Run:
        return replace(run, server_cpu_s=None, server_rss_bytes=None)

    compressed = said("deflate", FEW, replace(FEW, deflate=True), modes=("ws",), spoil=unwatch)
    anew = said("reconnect", FEW, replace(FEW, keepalive=False), spoil=unwatch)
    assert (compressed or "").startswith("Compression saves 0\u00a0% of the bytes of a message")
    assert (anew or "").startswith("Short polling's mean latency grows from ")
    for text in (compressed, anew):
        assert not re.search("CPU|KiB", text or "")
    assert said("crowd", *sweep(clients=(1, 5)), spoil=unwatch) is None


def test_rows_without_a_good_run_do_not_answer(folder: Path) -> None:
    log = named(made(folder / "void", FEW, trials=1, spoil=lambda run: replace(run, valid=False)),
                "quick")  # fmt: skip
    assert answer(log, rows(log, summarise(log))) is None


def test_an_unknown_scenario_has_no_answer(said: Made) -> None:
    assert said("another", FEW) is None


@pytest.mark.parametrize("modes", [("short",), ("long",), ("ws",), ("short", "long", "ws")])
def test_what_a_log_does_not_bear_is_not_said(tmp_path: Path, modes: tuple[str, ...]) -> None:
    """Ask every question of experiments that were not made for it: one setting, few modes."""
    settings = [FEW, replace(FEW, payload_bytes=4096), replace(FEW, rtt_ms=100, interval_s=0.5)]
    for number, several in enumerate((settings[:1], settings[:2], settings[::2], settings)):
        log = made(tmp_path / f"{number}", *several, trials=1, modes=modes)
        every = rows(log, summarise(log))
        unknown = every.with_columns(server_kib_per_client=None, server_cpu_us_per_delivery=None)
        for name in ANSWERS:
            for each in (every, unknown, every.clear()):
                text = answer(named(log, name), each) or ""
                assert not re.search(r"\b(nan|inf|None)\b", text), (name, text)


@pytest.mark.parametrize(
    ("sizes", "from_where"), [((8192, 16384), "any size"), ((16, 32), "none that was measured")]
)
def test_sizes_are_answered_as_far_as_they_were_measured(
    said: Made, sizes: tuple[float, ...], from_where: str
) -> None:
    assert from_where in (said("payload", *sweep(payload_bytes=sizes)) or "")


UNASKED = {
    "quick": {},
    "interval": {"interval_s": (5, 10)},
    "hold": {"hold_s": (5, 10)},
    "payload": {"payload_bytes": (16, 64)},
    "reconnect": {"keepalive": (True, False)},
    "rate": {"rate_per_s": (2, 8)},
    "rfc6202": {"rate_per_s": (2, 8)},
}


@pytest.mark.parametrize("name", UNASKED)
@pytest.mark.parametrize("modes", [("short",), ("short", "long")])
def test_where_no_poll_fell_into_a_window_no_figure_of_its_costs_is_given(
    tmp_path: Path, name: str, modes: tuple[str, ...]
) -> None:
    settings = sweep(**UNASKED[name]) if UNASKED[name] else [FEW]  # type: ignore[arg-type]
    far = [replace(each, rtt_ms=20) for each in settings]
    log = named(without_polls(made(tmp_path / "log", *far, trials=1), *modes), name)
    text = answer(log, rows(log, summarise(log))) or ""
    nothing = r"\u2013|(?<![\d.])0(\.0)?[ \u00a0](times|requests|bytes|s)\b|None|inf"
    assert not re.search(nothing, text), text


def test_a_mode_whose_polls_fell_outside_is_told_by_its_latency_alone(tmp_path: Path) -> None:
    log = named(without_polls(made(tmp_path / "log", FEW, trials=1), "short"), "quick")
    table = rows(log, summarise(log))
    assert headlines.requests(table).endswith(", short polling unknown")
    text = answer(log, table) or ""
    assert re.search(
        r"late by short polling; .* late by long polling, for [\d.]+ requests and \d+ bytes; "
        r".* late by WebSocket, for [\d.]+ and \d+$", text
    )  # fmt: skip


def test_a_mode_alone_is_not_the_dearest_and_the_cheapest(said: Made) -> None:
    text = said("payload", *sweep(payload_bytes=(20, 200)), modes=("ws",)) or ""
    assert "bytes over WebSocket" in text
    assert "dearest" not in text
