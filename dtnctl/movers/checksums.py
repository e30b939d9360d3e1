"""Checksums of the files at an end: the commands that compute them inside its service, and what they printed. Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from dtnctl.model.checksums import DIGITS, Algorithm, AlgorithmChoice
from dtnctl.printable import plural

LONGEST_ARGUMENTS = 100_000  # bytes of file names in one command; Linux takes 128 KiB in one argument and 2 MiB in all
CHECKSUM_TOOLS = {"md5": "md5sum", "sha256": "sha256sum", "sha512": "sha512sum"}
# xrdadler32 gets its data by standard input. Of a file that it opens itself it keeps the checksum in an extended attribute, and repeats
# that as long as the file's time is the same (Xrdadler32.cc): it would not see a byte that flipped on the disk.
ADLER32 = """\
if command -v xrdadler32 >/dev/null; then for name; do xrdadler32 <"$name" || exit; done; exit; fi
exec python3 -c '
import sys, zlib
for name in sys.argv[1:]:
    value = 1
    with open(name, "rb") as file:
        while chunk := file.read(1 << 20):
            value = zlib.adler32(chunk, value)
    print("%08x" % value)
' "$@"
"""
CRC32C = 'for name; do xrdcrc32c - <"$name" || exit; done'
CHECKSUM_SCRIPTS = {"adler32": ADLER32, "crc32c": CRC32C}
CASTAGNOLI = 0x82F63B78
CHECKSUM_PROGRAMS = {"adler32": ("xrdadler32", "python3"), "crc32c": ("xrdcrc32c",)}


AUTO_FROM = 1024**3  # bytes, for which md5 takes about three seconds on one core
AUTO_FAST: tuple[Algorithm, ...] = ("crc32c", "adler32")


MEASURED: tuple[Algorithm, ...] = ("md5", "sha256")  # none finds less than md5, and every image has them
MEASURED_BYTES = 64 * 1024**2  # of nothing but zeros; the time is the same for all data
LONGEST_TIME = 18  # digits of nanoseconds: thirty years
MEASURE = f"""\
for name; do
    start=$(date +%s%N)
    head -c {MEASURED_BYTES} /dev/zero | "$name" >/dev/null || exit
    end=$(date +%s%N)
    echo "$((end - start))" || exit
done
"""
Speeds = Mapping[Algorithm, float]  # bytes per second


def choose_algorithm(
    declared: AlgorithmChoice, size: int, is_there: Callable[[Algorithm], bool], measure: Callable[[], Sequence[Speeds]]
) -> Algorithm:
    """The declared one; `auto` and `measured` leave it to the bytes to compare, and to what both ends have.

    `measure` gives the speeds of an end each; it is asked where they decide something.
    """
    match declared:
        case "auto":
            fast = AUTO_FAST if size >= AUTO_FROM else ()
            return next((algorithm for algorithm in fast if is_there(algorithm)), "md5")
        case "measured":
            return fastest(measure()) if size >= AUTO_FROM else "md5"
        case _:
            return declared


def fastest(speeds: Sequence[Speeds]) -> Algorithm:
    """The one whose slower end is the fastest; md5 if an end did not say."""
    if not all(speeds):
        return "md5"
    return max(MEASURED, key=lambda algorithm: min(end[algorithm] for end in speeds))


def speed_command() -> tuple[str, ...]:
    """Prints how many nanoseconds each of the measured ones takes for the same amount of data."""
    return ("/bin/sh", "-c", MEASURE, "measure", *(CHECKSUM_TOOLS[algorithm] for algorithm in MEASURED))


def read_speeds(output: bytes) -> Speeds:
    """What the command printed; nothing if that is not a time for each."""
    words = output.split()
    if len(words) != len(MEASURED) or not all(len(word) <= LONGEST_TIME and word.isdigit() and int(word) for word in words):
        return {}
    return {algorithm: MEASURED_BYTES * 1e9 / int(word) for algorithm, word in zip(MEASURED, words, strict=True)}


def checksum_commands(path: str, names: Sequence[str], algorithm: str) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    """Commands that print the checksums of the named files, and the names that each one is about, in order."""
    start, length = 0, 0
    for end, name in enumerate(names):
        if length and length + len(name) + 3 > LONGEST_ARGUMENTS:
            yield _checksum_command(path, names[start:end], algorithm), names[start:end]
            start, length = end, 0
        length += len(name) + 3
    if names:
        yield _checksum_command(path, names[start:], algorithm), names[start:]


def _checksum_command(path: str, names: Sequence[str], algorithm: str) -> tuple[str, ...]:
    tool = CHECKSUM_TOOLS.get(algorithm, "")
    script = CHECKSUM_SCRIPTS.get(algorithm, f'exec {tool} -- "$@"')
    if list(names) == [""]:
        return (tool, "--", path) if tool else ("/bin/sh", "-c", script, "checksum", path)
    # cd keeps the names short; they start with ./ so that none is taken for an option
    return ("/bin/sh", "-c", f'cd -- "$1" && shift || exit\n{script}', "checksum", path, *(f"./{name}" for name in names))


def checksum_program_command(algorithm: str) -> tuple[str, ...]:
    """Prints the program that computes it, and fails if the image has none. Empty if every image has one: coreutils."""
    programs = CHECKSUM_PROGRAMS.get(algorithm, ())
    return ("/bin/sh", "-c", " || ".join(f"command -v {program}" for program in programs)) if programs else ()


def read_checksums(output: bytes, names: Sequence[str], algorithm: str) -> Mapping[str, str]:
    """Checksums by name. Lines come in the order of the names; ValueError if they are not one for each."""
    # the tools mark a line whose name they had to escape with a backslash at its start
    sums = [line.removeprefix(b"\\").split(b" ", 1)[0].decode("ascii", "replace") for line in output.splitlines()]
    if len(sums) != len(names) or any(len(text) != DIGITS[algorithm] for text in sums):
        raise ValueError(f"{plural(len(sums), 'checksum')} for {plural(len(names), 'file')}")
    return dict(zip(names, sums, strict=True))


def checksum_of_all(sums: Mapping[str, str], algorithm: str) -> str:
    """One file's own checksum; for a tree that of the lines `CHECKSUM  NAME`, in name order, as the checksum tool writes them."""
    if list(sums) == [""]:
        return sums[""]
    lines = "".join(f"{checksum}  {name}\n" for name, checksum in sorted(sums.items())).encode("utf-8", "surrogateescape")
    match algorithm:
        case "adler32":
            return f"{zlib.adler32(lines):08x}"
        case "crc32c":
            return f"{_crc32c(lines):08x}"
        case _:
            return hashlib.new(algorithm, lines, usedforsecurity=False).hexdigest()


def _crc32c(content: bytes) -> int:
    """Castagnoli's polynomial (RFC 3720, appendix B.4), which the standard library lacks. For lines of a list, not for data."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (CASTAGNOLI if value & 1 else 0)
    return value ^ 0xFFFFFFFF
