"""The kernel's queueing disciplines: read, made and removed by netlink. Who may change which, and why, is decided by `qos.py`."""
