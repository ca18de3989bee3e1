"""The agent process of one Ambient session: plain AG-UI over HTTP around one agent framework."""

__version__ = "0.1.0"
