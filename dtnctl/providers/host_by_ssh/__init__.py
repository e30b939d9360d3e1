"""A host that nothing is installed on: its own Python reads for us what its kernel shows, asked over one ssh login."""
