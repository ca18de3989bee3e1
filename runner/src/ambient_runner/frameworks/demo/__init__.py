"""`demo`: a deterministic agent that needs no key and really works in the workspace."""

from ambient_runner.frameworks.demo.agent import DemoFramework

__all__ = ["DemoFramework"]
