"""The bytes that a protocol keeps of incomplete messages."""

from exporter.management.protocol import LINE_COST, ManagementProtocol


def buffered(protocol: ManagementProtocol) -> int:
    """Return the bytes kept, `LINE_COST` for each whole line included."""
    env = protocol._env
    lines = [*protocol._reply.build(), *((env.payload, *env.variables) if env else ())]
    return len(protocol._buffer) + sum(map(len, lines)) + LINE_COST * len(lines)
