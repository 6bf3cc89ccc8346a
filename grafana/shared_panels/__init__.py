"""Panels by subject, most of them for several dashboards; the selector chooses the series."""
