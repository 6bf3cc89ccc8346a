"""Panels that more than one dashboard shows, each for the series of the dashboard's own scope."""
