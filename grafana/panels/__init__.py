"""Panels, one module a kind; each gives a panel that only lacks its place."""
