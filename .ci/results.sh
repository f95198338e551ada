#!/bin/sh
# Runs the case studies and writes RESULTS.md from the tables they end in. Nothing
# in that file is written by hand.
#
#   sh .ci/results.sh bin/oceaninv [oceaninv run's options, such as --var scale=small]
set -eu
bin=$1
shift
out=RESULTS.md
figures=pipelines/figures


# study NAME VARIABLE...: run a pipeline, then print its table and what the run took.
study() {
	name=$1
	shift
	started=$(date +%s)
	"$bin" run "pipelines/$name.hcl" "$@" >&2
	took=$(($(date +%s) - started))
	trace=$(ls -t pipelines/.oceaninv/runs/*/trace.csv | head -n 1)
	cat "results/$name/table.md"
	printf '\n'
	mkdir -p "$figures"
	if [ -e "results/$name/figures/table.marginals.svg" ]; then
		copied marginals
		printf '![Marginal posteriors of the one observation](%s)\n\n' "$figures/$name.marginals.svg"
	fi
	if [ -e "results/$name/figures/table.scatter.svg" ]; then
		copied scatter
		printf '![Distance to the exact posterior](%s)\n\n' "$figures/$name.scatter.svg"
	fi
	# shellcheck disable=SC2016
	printf '`%s`: %s tasks ran in %s min %s s of wall time; the largest took %s MB of memory. What earlier runs had left in the store was not run again.\n\n' \
		"oceaninv run pipelines/$name.hcl $(quoted "$@")" \
		"$(awk -F, 'NR > 1 && $5 == "COMPLETED" { n++ } END { print n + 0 }' "$trace")" \
		"$((took / 60))" "$((took % 60))" \
		"$(awk -F, 'NR > 1 && $11 > m { m = $11 } END { printf "%.0f", m / 1e6 }' "$trace")"
}

# copied FIGURE: keep a figure of the table, as SVG and as PNG.
copied() {
	for format in svg png; do
		cp "results/$name/figures/table.$1.$format" "$figures/$name.$1.$format"
	done
}

# quoted prints arguments as one would type them.
quoted() {
	for a in "$@"; do
		case $a in
		*[\"\[\]*\ ]*) printf "'%s' " "$a" ;;
		*) printf '%s ' "$a" ;;
		esac
	done | sed 's/ $//'
}

temp=$(mktemp)
trap 'rm -f "$temp"' EXIT
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || true)
memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo 2>/dev/null || true)
{
	printf '# Results\n\n'
	# shellcheck disable=SC2016
	printf 'Written by `make results` at commit %s on %s, on %s with %s cores and %s of memory. %s\n' \
		"$commit" "$(date -u '+%Y-%m-%d %H:%M UTC')" "${cpu:-an unknown processor}" "$(getconf _NPROCESSORS_ONLN)" "${memory:-unknown}" \
		"${load:+A load of $load when it began: times are those of a machine that busy.}"
	printf 'What the settings are and why is in [pipelines/README.md](pipelines/README.md#which-settings-and-why).\n\n'
	study vina_geoacoustic --var seeds=5 --var 'methods=["nll","kld","jsd","wasserstein","iresnet"]' "$@"
	study vina_geoacoustic_6d "$@"
} >"$temp"
cp "$temp" "$out"
echo "$out written" >&2
