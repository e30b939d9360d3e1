"""`python -m dtnctl`."""

from dtnctl.cli.main import run

run()
