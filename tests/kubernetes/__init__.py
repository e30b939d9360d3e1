"""Scenarios on a cluster whose kubelet runs pods: `make test-kubernetes`."""
