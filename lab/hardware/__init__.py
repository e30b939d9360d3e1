"""Two emulated machines with SR-IOV, two NUMA nodes and NVMe, as endpoints for the tests on real kernel interfaces."""

from lab.hardware.guests import Guests, unavailable
from lab.hardware.places import FAR_NIC, NEAR_NIC, Guest
from lab.hardware.remote import Finished, GuestSilentError, Remote

__all__ = ["FAR_NIC", "NEAR_NIC", "Finished", "Guest", "GuestSilentError", "Guests", "Remote", "unavailable"]
