#!/bin/sh
# go test, with every test that skips named beside its reason: go test itself says
# nothing of them. With CI=true a skip that .ci/skips.txt does not expect is a failure;
# with -short so are those that give another reason than that.
#
#   sh .ci/test.sh [go test's arguments]
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
	"${GO:-go}" test -v "$@" 2>&1
	echo "exit $?"
} | tee "$log" | grep --line-buffered -E '^(ok|FAIL|panic:|\?)|^ *--- FAIL' | grep --line-buffered -v 'no test files'
status=$(sed -n 's/^exit \([0-9]*\)$/\1/p' "$log" | tail -n 1)
if [ "$status" != 0 ]; then
	# What the packages that fail have said, and the compiler; a package's lines end in its verdict.
	grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)|^PASS$' "$log" | awk '
		/^# / { compiler = 1 }
		compiler && (/^# / || /\.go:[0-9]+/ || /^\t/) { print; next }
		{ compiler = 0; said = said $0 "\n" }
		/^ok[ \t]|^\?[ \t]/ { said = "" }
		/^FAIL[ \t]/ { printf "%s", said; said = "" }
		END { printf "%s", said }'
	exit "$status"
fi

# What packages tell of the gradients they have checked, by layer and by loss.
case " $* " in
*" -short "*) ;;
*) sed -n '/^worst relative error/,/^ok /{/^ok /!p;}' "$log" ;;
esac

# A skipped test's reason stands in the line before it.
skips=$(grep -E -B1 '^ *--- SKIP' "$log" | awk '
	/^ *--- SKIP/ { print $3 ": " reason; reason = "no reason given"; next }
	{ sub(/^ *[^ ]*_test\.go:[0-9]*: /, ""); sub(/^ *[^ ]*cluster\.go:[0-9]*: /, ""); reason = $0 }')
[ -n "$skips" ] || exit 0
printf 'Skipped:\n%s\n' "$skips"
[ "${CI:-}" = true ] || exit 0
unexpected=$(printf '%s\n' "$skips" | while IFS= read -r line; do
	case " $* " in
	*" -short "*) case $line in *"run without -short") continue ;; esac ;;
	esac
	grep -qxF "${line%%: *}" .ci/skips.txt || printf '%s\n' "$line"
done)
if [ -n "$unexpected" ]; then
	printf 'These may not skip in CI (.ci/skips.txt has those that may):\n%s\n' "$unexpected" >&2
	exit 1
fi
