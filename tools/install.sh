#!/usr/bin/env bash
# Make an environment hold exactly what a locked file says: with uv where it is there, else with plain pip.
# It compiles nothing: tools/compile.py does that for what is used.
set -euo pipefail
python=$1 venv=$2 locked=$3
if [ -x .venv/bin/uv ] && .venv/bin/uv --version >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || "$python" -m venv --without-pip "$venv"
  .venv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$locked"
else
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r "$locked"
fi
