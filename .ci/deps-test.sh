#!/bin/sh
# Installs what only the tests need: SLURM's daemons and munge, which the tests of
# the SLURM executor start privately (3.5 MB). Nothing is started or configured
# on this machine. Without apt or root the tests say that they skip SLURM, unless
# CI=true: then a missing SLURM is an error.
set -eu

say() { printf '%s\n' "deps-test: $*" >&2; }

export PATH="$PATH:/usr/sbin:/sbin"
missing=""
command -v slurmctld >/dev/null 2>&1 || missing="$missing slurmctld"
command -v slurmd >/dev/null 2>&1 || missing="$missing slurmd"
command -v sbatch >/dev/null 2>&1 || missing="$missing slurm-client"
command -v munged >/dev/null 2>&1 || missing="$missing munge"
[ -n "$missing" ] || exit 0

without() {
	say "$1; the tests of the SLURM executor will be skipped (missing:$missing)"
	[ "${CI:-}" != true ] || exit 1
	exit 0
}
command -v apt-get >/dev/null 2>&1 || without "there is no apt-get here"
as_root=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || without "installing needs root"
	as_root=sudo
fi

# While this file is there, packages do not start their services.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod +x "$policy"
	trap '$as_root rm -f "$policy"' EXIT
fi
say "installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -o DPkg::Lock::Timeout=600 update -qq || without "apt-get update fails"
# shellcheck disable=SC2086 # a list of names
$as_root apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $missing >/dev/null || without "apt-get install fails"
