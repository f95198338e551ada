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
starting=$("$go" list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r package dir; do
	if ls "$dir"/*.go | grep -v '_test\.go$' | xargs -r grep -qE "$starts"; then
		echo "code $package"
	elif grep -qE "$starts" "$dir"/*_test.go 2>/dev/null; then
		echo "tests $package"
	fi
done)
[ -n "$starting" ] || exit 1

"$go" list -test -f '{{.ImportPath}} {{join .Deps " "}}' "$@" | STARTING=$starting awk '
	BEGIN {
		n = split(ENVIRON["STARTING"], line, "\n")
		for (i = 1; i <= n; i++) { split(line[i], f, " "); kind[f[2]] = f[1] }
	}
	$1 ~ /\.test$/ && NF > 1 && $2 !~ /^\[/ {
		package = $1
		sub(/\.test$/, "", package)
		found = package in kind
		for (i = 2; i <= NF && !found; i++) found = kind[$i] == "code"
		if (found) print package
	}'
