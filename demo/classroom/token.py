"""The teacher's token: whoever holds it may change the class, all others may read and chat."""

import hmac
import time
from collections.abc import Callable

from aiohttp import web

from demo.doors import DOORS
from demo.queries import problem
from demo.rates import Rate
from demo.stats import STATS

SCHEME = "Bearer "
WRONG_PER_S = 1.0
HOPELESS = 16  # characters, of which nobody guesses all


class Token:
    """Compare what a request brings with the one secret of this server.

    wrong_per_s: how many wrong ones an address may bring a second; 0 is no limit. A long secret
        needs none, and a neighbour of the teacher's address shuts her out with none
    """

    def __init__(
        self,
        secret: str,
        wrong_per_s: float = WRONG_PER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret = secret.encode()
        self._per_s = wrong_per_s
        self._wrong = Rate(wrong_per_s if len(secret) < HOPELESS else 0.0, clock)

    def given(self, request: web.Request) -> bool:
        """Say whether the request brings the token (RFC 6750, section 2.1).

        Raise 429 where too many wrong ones came from: the right one is not told from them there, or
        who guesses would hear of it.
        """
        header = request.headers.get("Authorization", "")
        if not header.startswith(SCHEME):
            return False
        site = request.app[DOORS].bounds.site(request.remote)
        self._check_pace(request, site)
        brought = header.removeprefix(SCHEME).encode("utf-8", "surrogateescape")
        # Compared in constant time: how long a refusal takes says nothing of the secret.
        if hmac.compare_digest(brought, self._secret):
            return True
        request.app[STATS].refusals.token += 1
        if site is not None:
            self._wrong.take(site)
        return False

    def demand(self, request: web.Request) -> None:
        """Raise 403 unless the request brings the token."""
        if not self.given(request):
            line = "only the teacher may: open the address with #token= that the server printed"
            raise problem(web.HTTPForbidden, line)

    def _check_pace(self, request: web.Request, site: str | None) -> None:
        wait_s = self._wrong.wait_s(site)
        if not wait_s:
            return
        request.app[STATS].refusals.rate_of_tokens += 1
        line = (
            f"too many wrong tokens came from your address, the limit is {self._per_s:g} a second"
        )
        raise problem(web.HTTPTooManyRequests, line, wait_s)
