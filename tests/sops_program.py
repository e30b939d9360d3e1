"""A file that sops decrypts: by the real sops and age where both are installed, else by a program that answers as sops did in a trial.

The trial was made with sops 3.13.3 and age 1.3.2, built from their Go modules (docs/secrets.md has its commands). Debian has no package of
sops, so most machines that run the tests have none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IS_REAL = all(shutil.which(name) for name in ("sops", "age-keygen"))

STAND_IN = """#!/bin/sh
# sops --decrypt --output-type json FILE; what is "encrypted" is merely base64 here
[ "$#" = 4 ] && [ "$1 $2 $3" = "--decrypt --output-type json" ] || { echo "flag provided but not defined: $*" >&2; exit 1; }
if ! grep -q '"sops"' "$4"; then
    echo "sops metadata not found" >&2
    exit 1
fi
if [ ! -r "$SOPS_AGE_KEY_FILE" ]; then
    cat >&2 <<TEXT
Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  age12hkz63y8sl0amf3avte2h78ysua05uyakceztucu85fyy63myc7sy38ypy: FAILED
    - | failed to load age identities. Errors while loading age
      | identities: failed to open SOPS_AGE_KEY_FILE file: open
      | $SOPS_AGE_KEY_FILE: no such file or directory. Did not find keys in
      | locations 'SOPS_AGE_KEY', 'SOPS_AGE_KEY_CMD', and
      | '/tmp/.config/sops/age/keys.txt'.

Recovery failed because no master key was able to decrypt the file. In
order for SOPS to recover the file, at least one key has to be successful,
but none were.
TEXT
    exit 128
fi
echo "call" >> "$SOPS_CALLS"
sed -n 's/^data: //p' "$4" | base64 -d
"""


def prepare(outside: Path, file: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """Write the encrypted file; returns the variables that sops needs to decrypt it. Keys and program lie in `outside`."""
    outside.mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    key = outside / "age-key.txt"
    return _encrypt(outside, file, content, key) if IS_REAL else _stand_in(outside, file, content, key)


def _encrypt(outside: Path, file: Path, content: Mapping[str, Any], key: Path) -> dict[str, str]:
    plain = outside / f"plain{file.suffix}"
    plain.write_text(json.dumps(content))
    if not key.exists():
        subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True)
    public = next(line.rpartition(" ")[2] for line in key.read_text().splitlines() if line.startswith("# public key: "))
    ran = subprocess.run(["sops", "--encrypt", "--age", public, str(plain)], check=True, capture_output=True)
    file.write_bytes(ran.stdout)
    plain.unlink()
    return {"SOPS_AGE_KEY_FILE": str(key), "PATH": os.environ["PATH"]}


def _stand_in(outside: Path, file: Path, content: Mapping[str, Any], key: Path) -> dict[str, str]:
    key.write_text("AGE-SECRET-KEY-1\n")
    program = outside / "bin" / "sops"
    program.parent.mkdir(exist_ok=True)
    program.write_text(STAND_IN)
    program.chmod(0o755)
    file.write_text(f'"sops": stand-in\ndata: {b64encode(json.dumps(content).encode()).decode()}\n')
    return {
        "SOPS_AGE_KEY_FILE": str(key),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "SOPS_CALLS": str(outside / "calls"),
    }
