"""What can be said to a daemon, and what it answers."""
