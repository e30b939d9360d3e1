"""The agent on the guests: the packages of this clone go into the environment that the image has, and its own unit runs them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from lab.hardware.remote import Remote
from lab.layout import LabError
from lab.wheels import PYTHON, build_agent_wheel

PLACE = f"/opt/dtn-agent/lib/python{PYTHON}/site-packages"
PROGRAM = "/opt/dtn-agent/bin/dtn-agent"
PROGRAM_TEXT = "#!/opt/dtn-agent/bin/python\\nimport sys\\nfrom dtn_agent.__main__ import main\\nsys.exit(main())\\n"
AGENT_SOCKET = "/run/dtnctl/agent.sock"
INSTALL_SECONDS = 180.0
START_SECONDS = 180.0
# the certificates are those of the engine: one authority, one name, this machine's loopback address; the socket is for `agent: ssh`
SET_UP = f"""
printf '{PROGRAM_TEXT}' >{PROGRAM} && chmod 755 {PROGRAM}
install -d -m 755 /etc/dtn-agent
install -m 644 /seed/cert.pem /etc/dtn-agent/server.pem
install -m 600 /seed/key.pem /etc/dtn-agent/server.key
install -m 644 /seed/ca.pem /etc/dtn-agent/client-ca.pem
echo 'DTN_AGENT_OPTIONS=--socket {AGENT_SOCKET}' >/etc/dtn-agent/options
{PROGRAM} unit >/etc/systemd/system/dtn-agent.service
systemctl daemon-reload
systemctl --quiet enable dtn-agent.service
systemctl restart dtn-agent.service || {{ journalctl --unit dtn-agent.service --lines 25 --no-pager --output cat; exit 1; }}
"""


def packages_as_tar() -> bytes:
    """dtnctl and its agent of this clone, as pip installs them, packed for a guest."""
    with tempfile.TemporaryDirectory() as name:
        wheel = build_agent_wheel(Path(name))
        target = Path(name) / "packages"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
        # compiled beside the sources, whatever is set here: an emulated processor would need seconds for it at the agent's first start
        here = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
        done = subprocess.run([*pip, f"--target={target}", str(wheel)], text=True, capture_output=True, env=here, check=False)
        if done.returncode != 0:
            raise LabError(f"the agent's wheel: {done.stderr.strip()[-1000:]}")
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            tar.add(target, arcname=".")
        return stream.getvalue()


def install(remote: Remote, packages: bytes) -> None:
    """Put the packages in the place of older ones and have the agent serve when this returns."""
    remote.run(f"rm -rf {PLACE}/dtnctl* {PLACE}/dtn_agent; tar -C {PLACE} -xz", seconds=INSTALL_SECONDS, stdin=packages)
    remote.run(SET_UP, seconds=START_SECONDS)
