"""Runs the command line of the virtual hardware."""

import sys

from lab.hardware.cli import main

sys.exit(main())
