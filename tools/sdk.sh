#!/usr/bin/env bash
# Generate the Python SDK's models and raw calls from sdk/openapi.yaml. Never edit what it writes.
set -euo pipefail
out=sdk/python/src/ambient_platform/_generated
.venv/bin/openapi-python-client generate --path sdk/openapi.yaml --meta none --overwrite --fail-on-warning \
  --config sdk/python/generator.yaml --output-path "$out" >/dev/null
find "$out" -name '*.md' -delete
.venv/bin/ruff format --quiet --isolated --line-length 110 "$out"
