"""A cluster's node as a backend: one folder of translation (pure) and of calls to the API server."""
