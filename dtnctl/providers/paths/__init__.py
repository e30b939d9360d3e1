"""Providers of paths between sites: a module for each kind of `model/path_kinds.py`, of the kind's name."""
