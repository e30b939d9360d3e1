"""State files made of those of other programs: Janus' profile folders and live sessions, docker compose files."""
