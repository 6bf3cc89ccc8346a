"""The metrics of daemons by subject; each module lists its families."""
