"""What is still free, for those who were refused: the nearest range, port or address that could be had instead. Pure."""

from __future__ import annotations

from collections.abc import Callable

from dtnctl.planning.choices.pools import Addresses, Pool

HIGHEST_PORT = 65535


def free_range(pool: Pool, low: int, high: int, protocol: str, is_allowed: Callable[[int], bool]) -> tuple[int, int] | None:
    """The nearest range of the same length above of which no port is held; else the lowest one below; None if there is none."""
    length = high - low + 1
    return _run(pool, range(low + 1, HIGHEST_PORT + 1), length, protocol, is_allowed) or _run(
        pool, range(1, high), length, protocol, is_allowed
    )


def _run(pool: Pool, ports: range, length: int, protocol: str, is_allowed: Callable[[int], bool]) -> tuple[int, int] | None:
    run = 0
    for port in ports:
        run = run + 1 if is_allowed(port) and pool.holder((port, protocol)) is None else 0
        if run == length:
            return port - length + 1, port
    return None


def other_range(field_name: str, found: tuple[int, int] | None, endpoint: str) -> str:
    """The refusal's way out, for a range that is taken whole."""
    if found is None:
        return f"another endpoint; {endpoint} has no range of that length left"
    low, high = found
    if field_name == "exposed_ports":
        return f"exposed_ports with {low}{f'-{high}' if high > low else ''} instead, free on {endpoint}"
    return f"{field_name}: [{low}, {high}], free on {endpoint}"


def wider_range(field_name: str, wanted: tuple[int, int], found: tuple[int, int] | None, endpoint: str) -> str:
    """The refusal's way out, for a range without a free port."""
    if found is None:
        return f"another endpoint; {endpoint} has no port left"
    port = found[0]
    low, high = min(wanted[0], port), max(wanted[1], port)
    return f"{field_name}: [{low}, {high}]; {port} is free on {endpoint}"


def free_address(pool: Pool, subnet: str, candidates: Addresses) -> str:
    """The refusal's way out, for a network without a free address."""
    found = pool.lowest_free(("alternative", subnet), candidates)
    return f"{found} is free in {subnet}" if found is not None else f"a larger subnet; {subnet} is full"
