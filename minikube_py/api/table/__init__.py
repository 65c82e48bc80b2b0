"""table: the rows of the resource table, a module for each API group (upstream: the registries' storage and rest).

`api/resources.py` joins them. A row names its rules (`api/rules/`) and its columns (`api/columns/`); a module here
has no behaviour of its own.
"""
