"""What is left when dtnctl dies, or an engine fails, in the middle: every point of a run is tried."""
