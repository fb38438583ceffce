"""Tell apart what a step costs the server and what waking it costs, from runs at several loads.

A server that sleeps has to be woken for what comes, and has forgotten much; one that is busy takes
the next step as it comes. Of arrivals at random the share 1 - rho find it idle (Wolff 1982), so x
steps a second take the share rho = x (c + (1 - rho) w) of a core. No log here, only numbers.
"""

import msgspec
import numpy as np

from analysis.bootstrap import Draws, draw, drawn_means
from analysis.theory import Floats

APART = 2.0  # the largest load over the smallest, from which two costs can be told apart


class LoadCosts(msgspec.Struct, frozen=True):
    """Server time of a step, c, and of waking for one, w; *_draws: the same of each resample.

    Draws are empty when no load was measured twice. With runs at one load, w is 0 and c holds it.
    busiest: the largest rho of a run; a busier server is not thought to take any less for a step
    """

    step_us: float
    waking_us: float
    step_draws: Floats
    waking_draws: Floats
    busiest: float

    def busy(self, steps_per_s: float, most: float) -> tuple[float, Floats]:
        """Return rho of one process, and of each resample: `most` when others have to help it."""
        one = self._busy(np.array([self.step_us]), np.array([self.waking_us]), steps_per_s)
        draws = self._busy(self.step_draws, self.waking_draws, steps_per_s)
        return min(most, float(one[0])), np.minimum(most, draws)

    def at(self, steps_per_s: float, most: float) -> tuple[float, Floats]:
        """Return the microseconds of a step at that load: c + (1 - rho) w."""
        busy, draws = self.busy(steps_per_s, most)
        return (
            self.step_us + self.waking_us * (1 - min(busy, self.busiest)),
            self.step_draws + self.waking_draws * (1 - np.minimum(draws, self.busiest)),
        )

    def _busy(self, step_us: Floats, waking_us: Floats, steps_per_s: float) -> Floats:
        """Return rho = x (c + w) / (1 + x w), and beyond the busiest what is in proportion."""
        step_s, waking_s = step_us / 1e6, waking_us / 1e6
        within = steps_per_s * (step_s + waking_s) / (1 + steps_per_s * waking_s)
        beyond = steps_per_s * (step_s + waking_s * (1 - self.busiest))
        return np.where(within > self.busiest, beyond, within)


def load_costs(
    steps_per_s: Floats, busy: Floats, generator: np.random.Generator, *, repeated: bool = True
) -> LoadCosts:
    """Fit the costs to runs, each of which counts by how far it is off in per cent.

    repeated: whether a load was measured more than once; else what differs is not chance
    """
    runs = len(busy)
    once = np.arange(runs)[np.newaxis]
    draws = draw(runs, generator) if runs > 1 and repeated else np.empty((0, runs), np.int64)
    (step,), (waking,) = _fit(steps_per_s, busy, once)
    return LoadCosts(
        float(step), float(waking), *_fit(steps_per_s, busy, draws), busiest=float(busy.max())
    )


def _fit(steps_per_s: Floats, busy: Floats, draws: Draws) -> tuple[Floats, Floats]:
    """Return c and w of each draw: least squares with neither below zero."""
    if steps_per_s.max() < APART * steps_per_s.min():
        each = drawn_means(busy / steps_per_s * 1e6, draws)
        return each, np.zeros_like(each)
    step, waking = steps_per_s / busy / 1e6, steps_per_s * (1 - busy) / busy / 1e6
    products = (step * step, step * waking, waking * waking, step, waking)
    ss, sw, ww, s, w = (product[draws].sum(axis=1) for product in products)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = ss * ww - sw * sw
        c, v = (s * ww - w * sw) / apart, (w * ss - s * sw) / apart
    known = apart > ss * ww * np.finfo(float).eps * 100  # else all loads of a draw were alike
    both, woken = known & (c >= 0) & (v >= 0), known & (c < 0)
    return (
        np.where(both, c, np.where(woken, 0, s / ss)),
        np.where(both, v, np.where(woken, w / ww, 0)),
    )
