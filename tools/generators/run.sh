#!/usr/bin/env bash
# Generate code from an OpenAPI document with a stock generator, and compile it:
#   run.sh setup
#   run.sh go|typescript|python DOCUMENT FOLDER
# All versions are pinned; set-up alone needs the network (PyPI, npm, Go module proxy).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/.venv-generators
export PATH=$venv/bin:$PATH
export GOPATH=$venv/go GOBIN=$venv/bin GOCACHE=$venv/go/build GOMODCACHE=$venv/go/mod
export GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOFLAGS="-modcacherw -buildvcs=false"
language=$1

if [ "$language" = setup ]; then
  mkdir -p "$venv/npm"
  cp "$here"/package.json "$here"/package-lock.json "$venv/npm"
  npm ci --prefix "$venv/npm" --cache "$venv/npm/cache" --ignore-scripts --no-audit --no-fund --silent
  cd "$here"
  go install tool
  go build ./...
  exit
fi

document=$(realpath "$2")
mkdir -p "$3"
cd "$3"
case $language in
  go)
    export GOPROXY=off
    mkdir api
    cp "$here"/go.mod "$here"/go.sum .
    oapi-codegen -generate types,client -package api -o api/api.go "$document"
    go build ./...
    ;;
  typescript)
    node "$venv/npm/node_modules/.bin/openapi-typescript" "$document" -o api.ts
    node "$venv/npm/node_modules/.bin/tsc" --noEmit --strict --target es2022 --module esnext \
      --moduleResolution bundler api.ts
    ;;
  python)
    "$root/.venv/bin/openapi-python-client" generate --path "$document" --meta none --fail-on-warning \
      --config "$root/sdk/python/generator.yaml" --output-path api
    PYTHONPATH=$PWD "$root/.venv/bin/python" -W error -c '
import importlib, pkgutil, api
for module in pkgutil.walk_packages(api.__path__, "api."):
    importlib.import_module(module.name)'
    ;;
  *)
    echo "no generator for $language" >&2
    exit 2
    ;;
esac
