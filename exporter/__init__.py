"""Prometheus exporter for OpenVPN, over its management interface.

Data flows one way, and so do imports: ``management`` turns bytes into readings, ``transport`` owns
the socket, ``daemon`` keeps what is known of one OpenVPN process, ``metrics`` says it in the words
of Prometheus and ``web`` serves it. ``app`` is the only place where they are put together.
"""

__version__ = "0.1.0"
