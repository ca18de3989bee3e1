#!/usr/bin/env bash
# Make an environment hold exactly what a locked file says: with uv where it is there, else with plain pip.
set -euo pipefail
venv=$1 locked=$2
if [ -x .venv/bin/uv ] && .venv/bin/uv --version >/dev/null 2>&1; then
  .venv/bin/uv pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes "$locked"
else
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$locked"
fi
