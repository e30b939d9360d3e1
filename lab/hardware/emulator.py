"""The emulated machine: two NUMA nodes, on each a NIC with virtual functions and an NVMe drive. Pure: only the command line.

    node 0: CPUs 0-1, NIC enp33s0 (wire far), NVMe          node 1: CPUs 2-3, NIC enp65s0 (wire near), NVMe

The two guests' NICs are joined back to back, wire by wire. Paths are relative to the lab's folder: a unix socket's path is short.
"""

from __future__ import annotations

from lab.hardware.image import RootImage
from lab.hardware.places import ADDRESS, AGENT, ENGINE, SSH, Guest

PROGRAM = "qemu-system-x86_64"
NODE_MEMORY = 768  # MiB on each of the two nodes
NODES = (0, 1)
WIRES = ("far", "near")  # the NIC on node 0, the NIC on node 1
NVME_SIZE = "256M"
# names of devices by their place; a crash ends it; no time for audits and workarounds of processors' flaws. Clocks tick all the time:
# where an interrupt is lost, the next tick makes up for it, while one that waits for a single timer would sleep for good.
KERNEL_WORDS = (
    *("root=/dev/vda", "rw", "console=ttyS0", "quiet", "net.ifnames=1", "panic=5"),
    *("iommu=pt", "mitigations=off", "audit=0", "apparmor=0", "tsc=reliable", "no_timer_check", "nohz=off", "highres=off"),
)


def command_line(guest: Guest, image: RootImage) -> list[str]:
    """What starts this guest, to be run in the lab's folder."""
    return [PROGRAM, "-name", guest.name, "-nodefaults", "-no-user-config", "-display", "none"] + [
        word
        for part in (_machine(), _boot(guest, image), _disks(guest), _management(guest), _nodes(guest), _console(guest))
        for word in part
    ]


def _machine() -> list[str]:
    # One thread for all processors of a guest: with one for each, QEMU 10 lost timers, crashed in resets (iotlb_to_section), and was
    # slower on two cores. A guest ends where it would reset; whoever wants a reboot starts it again.
    words = ["-no-reboot", "-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", "4,sockets=2,cores=2,threads=1"]
    words += ["-m", str(len(NODES) * NODE_MEMORY)]
    for node in NODES:
        words += ["-object", f"memory-backend-ram,id=memory{node},size={NODE_MEMORY}M"]
        words += ["-numa", f"node,nodeid={node},cpus={2 * node}-{2 * node + 1},memdev=memory{node}"]
    return [*words, "-numa", "dist,src=0,dst=1,val=21", "-device", "intel-iommu,intremap=on", "-device", "virtio-rng-pci"]


def _boot(guest: Guest, image: RootImage) -> list[str]:
    own = (f"systemd.hostname={guest.name}", f"systemd.machine_id={guest.number:032x}")
    return ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", " ".join((*KERNEL_WORDS, *own))]


def _disks(guest: Guest) -> list[str]:
    words = []
    for name, options in (
        ("root", "file={}/root.qcow2,format=qcow2,cache=unsafe,discard=unmap"),
        ("seed", "file={}/seed.ext4,format=raw,readonly=on"),
    ):
        words += ["-drive", f"if=none,id={name},{options.format(guest.name)}", "-device", f"virtio-blk-pci,drive={name},serial={name}"]
    return words


def _management(guest: Guest) -> list[str]:
    """The card that we come in by; nothing of the guest gets out by it."""
    pairs = ((guest.ports.ssh, SSH), (guest.ports.engine, ENGINE), (guest.ports.agent, AGENT))
    forwards = "".join(f",hostfwd=tcp:{ADDRESS}:{outside}-:{inside}" for outside, inside in pairs)
    card = f"virtio-net-pci,netdev=management,mac={_mac('aa', guest)},romfile="
    return ["-netdev", f"user,id=management,restrict=on{forwards}", "-device", card]


def _nodes(guest: Guest) -> list[str]:
    words = []
    for node, wire in zip(NODES, WIRES, strict=True):
        words += ["-device", f"pxb-pcie,id=bus{node},bus_nr={0x20 * (node + 1):#x},bus=pcie.0,numa_node={node}"]
        for slot, device in enumerate((_nic(guest, node, wire), _nvme(guest, node))):
            words += ["-device", f"pcie-root-port,id=port{node}{slot},bus=bus{node},chassis={10 * (node + 1) + slot},slot={slot}"]
            words += [*device[:-1], f"{device[-1]},bus=port{node}{slot}"]
    return words


def _nic(guest: Guest, node: int, wire: str) -> list[str]:
    """The first guest listens; the other one comes back by itself whenever the first one was away."""
    end = "server=on" if guest.number == 1 else "server=off,reconnect-ms=500"
    path = f"addr.type=unix,addr.path=wire-{wire}.sock"
    return ["-netdev", f"stream,id={wire},{end},{path}", "-device", f"igb,netdev={wire},mac={_mac(f'd{node}', guest)},romfile="]


def _nvme(guest: Guest, node: int) -> list[str]:
    drive = f"if=none,id=nvme{node},file={guest.name}/nvme{node}.img,format=raw,cache=unsafe"
    return ["-drive", drive, "-device", f"nvme,serial={guest.name}-node{node},drive=nvme{node}"]


def _console(guest: Guest) -> list[str]:
    return ["-serial", f"file:{guest.name}/console.log", "-monitor", "none", "-pidfile", f"{guest.name}/pid"]


def _mac(kind: str, guest: Guest) -> str:
    return f"52:54:00:{kind}:00:{guest.number:02x}"
