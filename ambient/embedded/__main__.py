"""Entry of `python -m ambient.embedded`."""

import sys

from ambient.embedded.cli import main

sys.exit(main())
