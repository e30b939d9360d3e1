"""The commands of `dtn-agent`, one module each: `add_to` names its arguments, `run` carries it out and gives the exit code."""
