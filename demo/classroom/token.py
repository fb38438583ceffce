"""The teacher's token: whoever holds it may change the class, all others may read and chat."""

import hmac

from aiohttp import web

from demo.queries import problem

SCHEME = "Bearer "


class Token:
    """Compare what a request brings with the one secret of this server."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def given(self, request: web.Request) -> bool:
        """Say whether the request brings the token (RFC 6750, section 2.1)."""
        header = request.headers.get("Authorization", "")
        brought = header.removeprefix(SCHEME).encode("utf-8", "surrogateescape")
        # Compared in constant time: how long a refusal takes says nothing of the secret.
        return header.startswith(SCHEME) and hmac.compare_digest(brought, self._secret)

    def demand(self, request: web.Request) -> None:
        """Raise 403 unless the request brings the token."""
        if not self.given(request):
            line = "only the teacher may: open the address with #token= that the server printed"
            raise problem(web.HTTPForbidden, line)
