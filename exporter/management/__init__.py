"""OpenVPN's management interface, without I/O: bytes to messages to parsed values.

Nothing here imports a socket, an event loop, a clock or Prometheus; an import contract checks it.
`protocol` describes the interface and is the place to start.

protocol       received bytes to messages, commands to bytes
messages       the messages of a session, not parsed
commands       the commands that can be sent
reply_lines    the lines of a reply or of a status file
replies        parsed replies; `status` is a package of its own
notifications  parsed real-time messages
banners        the first lines of other protocols
prompts        the real-time messages that wait for an answer
state          states, and the modes of daemons
reconnect_reasons  why a daemon reconnects
log_lines      lines of the daemon's log
login_lines    the log lines of a finished login
log_events     the events that are counted, and the lines of one failure
peer           peer info of clients
endpoint       addresses of management interfaces
values         text, numbers, dates and addresses in OpenVPN's output
batches        the parts of long input that are handled between two yields
errors         the errors of a session
server         the daemon's side of the protocol
"""
