"""The parent of all runners of one home (process runtime)."""
