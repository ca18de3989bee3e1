"""Calls of people to a session's runner, one at a time: workspace, git, MCP servers, tasks, feedback.

The control plane alone talks to runners (`client`). The API authorises, then sends the call there with a
ticket for exactly this call (`tickets`, `endpoint`).
"""
