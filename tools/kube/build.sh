#!/usr/bin/env bash
# A real Kubernetes control plane (and kwok and helm) from Go modules, built once into a folder that all
# checkouts share; prints that folder:
#   build.sh          build what is missing
#   build.sh where    only say where it is, or would be
# The folder's name comes from the pinned sums, so other versions get another. AMBIENT_KUBE_CACHE moves it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${AMBIENT_KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ambient/kube}
key=$(cd "$here" && sha256sum ./*/go.mod ./*/go.sum | sha256sum | cut -c1-16)
folder=$cache/$key
kubernetes=1.34.2 # as in kubernetes/go.mod

say() { echo "kube: $*" >&2; }

# What the host has, where it is new enough, else PyPI's.
find_go() {
  local wanted found
  wanted=$(sed -n 's/^go //p' "$here/kubernetes/go.mod")
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//') || true
  if [ -n "$found" ] && printf '%s\n' "$wanted" "$found" | sort --check=quiet --version-sort; then
    echo go
  else
    make --silent -C "$root" .venv-generators/.ready-go >&2
    echo "$root/.venv-generators/bin/go"
  fi
}

build() {
  local module=$1 program=$2 package=$3
  say "building $program"
  (cd "$here/$module" && "$go" build -trimpath -ldflags "-s -w ${4:-}" -o "$folder.part/$program" "$package")
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
  rm -rf "$folder.part"
  mkdir "$folder.part"
  say "building Kubernetes $kubernetes with $("$go" version) into $folder (once, about seven minutes)"
  IFS=. read -r major minor _ <<<"$kubernetes"
  version=k8s.io/component-base/version
  flags="-X $version.gitVersion=v$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor"
  build etcd etcd go.etcd.io/etcd/server/v3
  for program in kube-apiserver kube-controller-manager kube-scheduler; do
    build kubernetes $program k8s.io/kubernetes/cmd/$program "$flags"
  done
  build helm helm helm.sh/helm/v3/cmd/helm
  build kwok kwok sigs.k8s.io/kwok/cmd/kwok
  mv "$folder.part" "$folder"
  say "built"
fi
echo "$folder"
