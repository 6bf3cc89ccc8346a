"""The middleware that every request passes: rate limit and authentication; and response headers."""

import asyncio
import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.web.auth.check_queue import TooManyPending
from exporter.web.auth.passwords import PasswordChecker, read_credentials
from exporter.web.auth.policy import PolicyFile
from exporter.web.web_config import Rate

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="openvpn-exporter", charset="UTF-8"'}
_RETRY_AFTER = {"Retry-After": "1"}


def protect(application: web.Application, policy: PolicyFile) -> None:
    """Apply rate limit, authentication and headers to every response, 404s included."""
    bucket = TokenBucket()
    passwords = PasswordChecker()

    @web.middleware
    async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
        await policy.refresh()
        if not bucket.try_acquire(policy.current.rate, asyncio.get_running_loop().time()):
            raise web.HTTPTooManyRequests(headers=_RETRY_AFTER, text="Too many requests.\n")
        if policy.current.users and not await _is_authenticated(request, policy, passwords):
            raise web.HTTPUnauthorized(headers=_CHALLENGE, text="Unauthorized.\n")
        return await handler(request)

    async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(policy.current.headers)

    async def close(_: web.Application) -> None:
        passwords.close()

    application.middlewares.insert(0, authorize)
    application.on_shutdown.append(close)
    application.on_response_prepare.append(add_headers)


async def _is_authenticated(
    request: web.Request, policy: PolicyFile, passwords: PasswordChecker
) -> bool:
    credentials = read_credentials(request.headers.getall("Authorization", []))
    if credentials is None:
        return False
    try:
        return await passwords.verify(
            policy.current.users,
            credentials,
            peer=_peer(request.remote or ""),
            is_abandoned=lambda: request.transport is None or request.transport.is_closing(),
        )
    except TooManyPending:
        text = "Too many pending password checks.\n"
        raise web.HTTPServiceUnavailable(headers=_RETRY_AFTER, text=text) from None


def _peer(address: str) -> str:
    """Return the peer of an address: of IPv6 the network of the site; "" of a Unix socket."""
    try:
        host = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    host = getattr(host, "ipv4_mapped", None) or host
    return str(host if host.version == 4 else ipaddress.ip_network((host, 64), strict=False))  # noqa: PLR2004


class TokenBucket:
    """Limits the rate of requests: holds at most `burst` tokens, refilled one per `interval`."""

    def __init__(self) -> None:
        self._rate: Rate | None = None
        self._tokens = 0.0
        self._updated_at = 0.0

    def try_acquire(self, rate: Rate | None, now: float) -> bool:
        """Take a token at the time `now`; return False if there is none.

        Without a rate there is no limit; after a change of the rate the bucket is full.
        """
        if rate is None:
            return True
        if rate != self._rate:
            self._rate, self._tokens, self._updated_at = rate, float(rate.burst), now
        refilled = self._tokens + (now - self._updated_at) / rate.interval
        self._tokens, self._updated_at = min(refilled, float(rate.burst)), now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
