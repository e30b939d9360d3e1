"""The client library: what a Python program does with a state repository, and what the faces of dtnctl are made of."""
