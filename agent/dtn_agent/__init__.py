"""The program on each endpoint: tells what the hardware is. Never imports dtnctl."""
