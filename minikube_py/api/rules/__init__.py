"""rules: what upstream's registry strategies, defaults and validation say about each served kind.

One module for each API group, over shared modules for what kinds have in common (metadata, pod templates, volumes,
probes). Everything is pure: defaults change the private object that they are given, validation returns FieldErrors.
`api/resources.py` puts a module's `*_RULES` into the row of its kind.
"""
