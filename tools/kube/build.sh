#!/usr/bin/env bash
# A real Kubernetes control plane (and kwok and helm) from Go modules, built once into a folder that all
# checkouts share; prints that folder:
#   build.sh          build what is missing
#   build.sh where    only say where it is, or would be
# The folder's name comes from the pinned sums and the flags. AMBIENT_KUBE_CACHE moves it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${AMBIENT_KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ambient/kube}
kubernetes=1.34.2 # as in go.mod
compiler="-l -dwarf=false" # nothing inlined, nothing for debuggers: a fifth less to compile
linker="-s -w"
key=$(cd "$here" && { sha256sum go.mod go.sum; echo "$compiler $linker"; } | sha256sum | cut -c1-16)
folder=$cache/$key

say() { echo "kube: $*" >&2; }

# What the host has, where it is new enough, else PyPI's.
find_go() {
  local wanted found
  wanted=$(sed -n 's/^go //p' "$here/go.mod")
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//') || true
  if [ -n "$found" ] && printf '%s\n' "$wanted" "$found" | sort --check=quiet --version-sort; then
    echo go
  else
    make --silent -C "$root" .venv-generators/.ready-go >&2
    echo "$root/.venv-generators/bin/go"
  fi
}

build() {
  local program=$1 package=$2 began=$SECONDS
  (cd "$here" && "$go" build -trimpath -gcflags="all=$compiler" -ldflags "$linker ${3:-}" -o "$folder.part/$program" "$package")
  say "$program built in $((SECONDS - began)) s"
}

if [ "${1:-}" = where ] || [ -d "$folder" ]; then
  echo "$folder"
  exit
fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock --nonblock 9 || { say "somebody else builds, waiting"; flock 9; }
if [ ! -d "$folder" ]; then
  go=$(find_go)
  export GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOFLAGS="-modcacherw -buildvcs=false -mod=readonly"
  export GOGC=400 # of the compiler: a tenth less to do, for some memory
  rm -rf "$folder.part"
  mkdir "$folder.part"
  say "building Kubernetes $kubernetes with $("$go" version) into $folder (once, about seven minutes)"
  IFS=. read -r major minor _ <<<"$kubernetes"
  version=k8s.io/component-base/version
  numbers="-X $version.gitVersion=v$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor"
  for program in kube-apiserver kube-controller-manager kube-scheduler; do # the first compiles most of all
    build $program k8s.io/kubernetes/cmd/$program "$numbers"
  done
  build etcd go.etcd.io/etcd/server/v3
  build helm helm.sh/helm/v3/cmd/helm
  build kwok sigs.k8s.io/kwok/cmd/kwok
  mv "$folder.part" "$folder"
  say "built"
fi
echo "$folder"
