"""dtnctl: a declarative GitOps reconciler for Data Transfer Nodes."""

__version__ = "0.1.0"
