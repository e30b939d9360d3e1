"""The settings of a host that can be tuned: each by its key, read and written. What we own and what it was is in the ledger.

Nothing here survives a reboot by itself: no `/etc/sysctl.d`, no udev rule, no disabled service. The ledger is the one place that
says what is ours, and the agent sets it again when it starts. A second place would outlive the agent's removal, and one day
contradict what the state declares.
"""
