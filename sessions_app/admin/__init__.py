"""The admin of sessions. It is registered by `reconciler.admin`, which adds what the work queue knows."""
