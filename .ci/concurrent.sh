#!/bin/sh
# Of the packages given, prints those with tests in which goroutines can meet: where the
# package, its tests or a package of this module that it is built of starts one. In the
# others the race detector only makes arithmetic ten times slower.
#
#   sh .ci/concurrent.sh ./inversion/... ./workflow/...
set -eu
go=${GO:-go}
starts='^[[:space:]]*go [[:alpha:]_(]|errgroup|AfterFunc|\.Go\(|t\.Parallel\('

# The module's packages that start goroutines in the program ("code"), or only in their tests.
packages=$("$go" list -f '{{.ImportPath}} {{.Dir}}' ./...)
starting=$(printf '%s\n' "$packages" | while read -r package dir; do
	if find "$dir" -maxdepth 1 -name '*.go' ! -name '*_test.go' -exec grep -qE "$starts" {} +; then
		echo "code $package"
	elif find "$dir" -maxdepth 1 -name '*_test.go' -exec grep -qE "$starts" {} +; then
		echo "tests $package"
	fi
done)
[ -n "$starting" ] || exit 1

tests=$("$go" list -test -f '{{.ImportPath}} {{join .Deps " "}}' "$@")
printf '%s\n' "$tests" | STARTING=$starting awk '
	BEGIN {
		n = split(ENVIRON["STARTING"], line, "\n")
		for (i = 1; i <= n; i++) { split(line[i], f, " "); kind[f[2]] = f[1] }
	}
	$1 ~ /\.test$/ && NF > 1 && $2 !~ /^\[/ {
		package = $1
		sub(/\.test$/, "", package)
		found = package in kind
		for (i = 2; i <= NF && !found; i++) found = ($i in kind) && kind[$i] == "code"
		if (found) print package
	}'
