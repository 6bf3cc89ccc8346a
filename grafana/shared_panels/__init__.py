"""Panels that more than one dashboard has; the selector chooses the series."""
