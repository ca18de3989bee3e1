#!/usr/bin/env bash
# Add a locked file to an environment and leave what else is there: with uv where it is, else with plain pip.
set -euo pipefail
venv=$1 locked=$2
if [ -x .venv/bin/uv ] && .venv/bin/uv --version >/dev/null 2>&1; then
  .venv/bin/uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$locked"
else
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$locked"
fi
