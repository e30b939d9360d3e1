"""An image of a guest's own programs with their libraries, for containers that have no volumes: those of measurements."""

from __future__ import annotations

from collections.abc import Iterable

from tests.hardware.scene import SITE

_MAKE = r"""
cd /tmp && rm -rf image && mkdir -p image/usr image/etc image/proc image/sys image/dev image/tmp image/root image/sbin image/run
for link in bin lib lib64; do ln -s usr/$link image/$link; done
folder=$(ls -d /usr/lib/*/libibverbs)
files=$(for name in {programs}; do readlink -f "$(command -v $name)"; done; ls $folder/librxe* /usr/libexec/coreutils/libstdbuf.so)
for file in $files $(ldd $files 2>/dev/null | grep -oE '/[^ :]+' | sort -u) /etc/libibverbs.d/rxe.driver /etc/passwd /etc/group; do
    case $file in /lib*|/bin*) to=image/usr$file ;; *) to=image$file ;; esac
    mkdir -p "$(dirname $to)" && cp -L $file $to
done
ln -sf dash image/usr/bin/sh
tar -C image -c . | docker import --change 'ENV PATH=/usr/sbin:/usr/bin' - {tag} && rm -rf image
"""
USUAL = ("sh", "grep", "timeout", "cat", "stdbuf", "tr", "mkfifo", "sleep", "rm", "mkdir", "tail", "sed")
# Records of transfers outlive their site by design; other scenarios, and this one on guests that are kept, begin without any.
FORGET_RECORDS = f"docker ps -aq --filter label=dtnctl.kind=ledger | xargs -r docker rm -f; rm -rf /var/lib/dtnctl/{SITE}"


def make_image(tag: str, programs: Iterable[str]) -> str:
    """A script that makes the image on a guest's engine, with these programs besides the usual ones."""
    return _MAKE.replace("{programs}", " ".join((*USUAL, *programs))).replace("{tag}", tag)
