#!/bin/sh
# Installs the system packages oceaninv builds with, where they are missing.
# Debian and Ubuntu: through apt, with sudo only if needed. Elsewhere it names
# the packages for dnf, brew and conda and stops if one is missing.
set -eu

say() { printf '%s\n' "deps: $*" >&2; }

command -v go >/dev/null 2>&1 || {
	say "Go is missing: install Go 1.26 or newer (https://go.dev/doc/install)"
	exit 1
}

missing=""
need() { missing="$missing $1"; }
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || need gcc
command -v pkg-config >/dev/null 2>&1 || need pkg-config
if command -v pkg-config >/dev/null 2>&1; then
	pkg-config --exists netcdf || need libnetcdf-dev
	pkg-config --exists openblas || need libopenblas-dev
else
	need libnetcdf-dev
	need libopenblas-dev
fi
# Go fetches modules over TLS.
if command -v apt-get >/dev/null 2>&1 && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then need ca-certificates; fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	say "missing:$missing"
	say "  Fedora, RHEL: dnf install gcc pkgconf netcdf-devel openblas-devel"
	say "  macOS:        brew install pkg-config netcdf openblas   (and export PKG_CONFIG_PATH as brew info openblas says)"
	say "  conda:        conda install -c conda-forge c-compiler pkg-config libnetcdf openblas"
	exit 1
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		say "missing:$missing; install them as root: apt-get install$missing"
		exit 1
	}
	as_root=sudo
fi
say "installing$missing"
$as_root apt-get -o DPkg::Lock::Timeout=600 update -qq
# shellcheck disable=SC2086 # a list of names
DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $missing libc6-dev >/dev/null
