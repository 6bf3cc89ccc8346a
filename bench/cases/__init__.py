"""One benchmark per file: a function that takes sample sizes and returns results.

Each runs in an interpreter of its own, so that memory and garbage of the others do not count.
"""
