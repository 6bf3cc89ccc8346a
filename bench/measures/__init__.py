"""One measure a file: a function that takes the effort and returns figures.

Each is run in an interpreter of its own, so that none inherits another's memory and garbage.
"""
