"""What this build is."""

VERSION = "2.0.0"
