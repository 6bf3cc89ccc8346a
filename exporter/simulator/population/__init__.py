"""The clients of a simulated server: identities, sessions, traffic and failures."""
