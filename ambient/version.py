"""What this build is."""

VERSION = "2.0.0"
GIT_TAG = f"v{VERSION}"
BUILD_TIME = "unknown"  # an image build writes its time here
