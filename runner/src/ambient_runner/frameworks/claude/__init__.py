"""`claude`: Anthropic's agent, driven through claude-agent-sdk and its bundled command line program.

The SDK is an extra. Only `agent`, `conversation`, `frames` and `options` need it; the rest is plain.
"""
