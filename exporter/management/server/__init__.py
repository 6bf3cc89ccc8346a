"""The daemon's side of the management protocol: what a management client is answered with.

Pure like the client side, and independent of it: no module here reads a daemon's replies.

    lexer       command line -> words
    protocol    bytes -> requests, replies and real-time messages -> bytes
    commands    OpenVPN's command table: parameters, help
    history     the parameters of `state` and `log`
    replies     SUCCESS, ERROR, END: text -> bytes
"""
