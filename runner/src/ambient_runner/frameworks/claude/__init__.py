"""`claude`: Anthropic's agent, driven through claude-agent-sdk and its bundled command line program."""

from ambient_runner.frameworks.claude.agent import ClaudeFramework

__all__ = ["ClaudeFramework"]
