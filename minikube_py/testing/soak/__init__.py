"""testing.soak: the long runs (`scripts/soak NAME`): one module each with `run(minutes, seed)`, found by its name.

A short, seeded form of each is among the tests. A run raises at the first thing that is wrong; its seed is printed
first, so that it can be run again.
"""
