"""The API of projects, agents, people and roles: a module per topic."""
