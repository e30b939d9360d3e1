"""The published figures P1-P7: `python -m bench` (docs/speed.md says what each one compares)."""
