"""How often is answered: a bucket of tokens that refills."""

from exporter.web.web_config import Rate


class TokenBucket:
    """Holds at most `burst` tokens, full at first; one more comes each `interval`."""

    def __init__(self) -> None:
        """Begin full, whatever the rate."""
        self._rate: Rate | None = None
        self._tokens = 0.0
        self._counted_at = 0.0

    def take(self, rate: Rate | None, now: float) -> bool:
        """Take a token at the time `now`; False if there is none. Another rate begins anew."""
        if rate is None:
            return True
        if rate != self._rate:
            self._rate, self._tokens, self._counted_at = rate, float(rate.burst), now
        grown = self._tokens + (now - self._counted_at) / rate.interval
        self._tokens, self._counted_at = min(grown, float(rate.burst)), now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
