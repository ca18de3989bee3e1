"""The platform: settings, routing and what the apps have in common."""

from ambient.version import VERSION as __version__

__all__ = ["__version__"]
