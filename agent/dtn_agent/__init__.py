"""The program on each endpoint: reports the hardware and changes it. Never imports dtnctl."""
