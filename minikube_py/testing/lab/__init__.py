"""testing.lab: whole hosts on one machine, each a network namespace with its own dockerd and its own agent.

`scripts/lab` is its command line; the node tests use the same code.
"""
