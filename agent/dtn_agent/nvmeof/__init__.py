"""Volumes over NVMe-oF: what this host exports to others, and what it has connected and mounted of theirs."""
