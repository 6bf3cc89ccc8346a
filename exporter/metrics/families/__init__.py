"""The metrics of daemons, one module a subject; each lists its own in `FAMILIES`."""
