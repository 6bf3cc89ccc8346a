"""OpenVPN's management interface in words: bytes to messages to readings, and nothing else.

Everything below is pure. No socket, no event loop, no clock and no Prometheus is imported here
(an import contract proves it), so each piece can be fed by hand.

    protocol        bytes -> messages, commands -> bytes
    status, replies, notifications
                    messages -> readings
"""
