"""Stand-ins of path providers: servers of their own, which have the states, the refusals and the traps of the real ones."""
