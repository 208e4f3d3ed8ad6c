#!/bin/sh
# Builds kube-apiserver from its Go module, for tests/live/test_control_plane.py. Needs Go 1.26, half an hour
# of one core and 3 GB in the folder that is given; the program is FOLDER/kube-apiserver.
#
#     tests/live/kube_apiserver.sh FOLDER
#
# Kubernetes' module names its parts by folders of its own repository. Each is a module too, with the same
# number, and is taken from there.
set -eu
version=1.36.3
mkdir -p "$1/module"
cd "$1/module"
export GOPATH="$1/go" GOCACHE="$1/cache" GOFLAGS=-mod=mod CGO_ENABLED=0
cat > main.go <<'GO'
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
GO
printf 'module apiserver\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v%s\n' "$version" > go.mod
go mod download "k8s.io/kubernetes@v$version"
sed -n 's|^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging/.*|replace \1 => \1 v0.'"${version#*.}"'|p' \
    "$GOPATH/pkg/mod/cache/download/k8s.io/kubernetes/@v/v$version.mod" >> go.mod
go get "k8s.io/kubernetes/cmd/kube-apiserver/app@v$version" k8s.io/component-base/cli
go build -p 1 -trimpath -ldflags='-s -w' -o "$1/kube-apiserver" .
