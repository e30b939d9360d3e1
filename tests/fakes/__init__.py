"""An in-memory Docker engine behind real unix sockets, for tests that need engines without a kernel (see README.md)."""
