#!/usr/bin/env bash
# What `make check` runs: every check says its name, all of them run, the exit code tells.
set -uo pipefail
bin=.venv/bin
failed=()
step() {
  local name=$1
  shift
  local output
  if output=$("$@" 2>&1); then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    echo "$output" | tail -40 | sed 's/^/        /'
    failed+=("$name")
  fi
}
unchanged() { # run a generator; the named files must not change by it
  local files=("${@:2}")
  local before after
  before=$(cat "${files[@]}" 2>/dev/null | sha256sum)
  $1 || return 1
  after=$(cat "${files[@]}" 2>/dev/null | sha256sum)
  [ "$before" = "$after" ] || { git status --short -- "${files[@]}"; echo "commit the new version"; return 1; }
}
openapi() { $bin/python manage.py spectacular --validate --fail-on-warn --file sdk/openapi.yaml; }
locked() { # every name of the .in files is in its lock
  $bin/python tools/locked.py
}
step "format"      $bin/ruff format --check .
step "lint"        $bin/ruff check .
step "types"       $bin/mypy
step "layers"      $bin/lint-imports
step "system"      $bin/python manage.py check --fail-level WARNING
step "migrations"  $bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
step "locks"       locked
step "openapi"     unchanged openapi sdk/openapi.yaml
step "sdk"         unchanged tools/sdk.sh $(git ls-files sdk/python)
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
