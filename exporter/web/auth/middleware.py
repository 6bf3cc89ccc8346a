"""The one place that every request passes, whatever it asks for: rate, headers, users."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.web.auth.credentials import read_credentials
from exporter.web.auth.passwords import PasswordChecker, TooManyPending
from exporter.web.auth.policy import PolicyFile
from exporter.web.auth.rate import TokenBucket

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="openvpn-exporter", charset="UTF-8"'}
_LATER = {"Retry-After": "1"}


def install(application: web.Application, rules: PolicyFile) -> None:
    """Let the rules hold for every endpoint of the application, and for those it doesn't have."""
    gate = _Gate(rules)

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        await gate.admit(request)
        return await handler(request)

    application.middlewares.insert(0, admit)
    application.on_response_prepare.append(gate.add_headers)


class _Gate:
    def __init__(self, rules: PolicyFile) -> None:
        self._rules = rules
        self._bucket = TokenBucket()
        self._passwords = PasswordChecker()

    async def admit(self, request: web.Request) -> None:
        """Raise an HTTP error, unless the request may be answered."""
        await self._rules.refresh()
        now = asyncio.get_running_loop().time()
        if not self._bucket.take(self._rules.policy.rate, now):
            raise web.HTTPTooManyRequests(headers=_LATER, text="Too many requests.\n")
        if not await self._is_welcome(request):
            raise web.HTTPUnauthorized(headers=_CHALLENGE, text="A user and password, please.\n")

    async def _is_welcome(self, request: web.Request) -> bool:
        users = self._rules.policy.users
        if not users:
            return True
        credentials = read_credentials(request.headers.getall("Authorization", []))
        if credentials is None:
            return False
        try:
            return await self._passwords.are_right(users, credentials)
        except TooManyPending:
            text = "Too many passwords wait to be checked.\n"
            raise web.HTTPServiceUnavailable(headers=_LATER, text=text) from None

    async def add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        """Give the answer what every answer has."""
        response.headers.update(self._rules.policy.headers)
