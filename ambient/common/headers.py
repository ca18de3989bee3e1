"""Names of headers that more than one part reads."""

PROJECT = "X-Ambient-Project"
"""Narrows some lists to one project, and fills the project of a create."""
