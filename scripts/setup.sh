#!/usr/bin/env bash
# Sets up what the Makefile needs. Run by make; each part may be run again at will.
#
#   scripts/setup.sh system             Debian packages for a screen without a monitor
#   scripts/setup.sh environment VENV   a Python environment with this checkout in it
#
# PYTHON names the interpreter to build VENV with; without it the first of
# python3, python3.14 … python3.11 that is new enough is taken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# OpenGL in software, Qt's xcb platform and a virtual X server.
PACKAGES=(xvfb xauth libgl1 libegl1 libgl1-mesa-dri libxkbcommon0
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1
    libxcb-image0 libxcb-render-util0 libxcb-randr0 libxcb-shape0
    libdbus-1-3 libfontconfig1 libglib2.0-0)

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    local log
    log=$(mktemp)
    say "installing with apt-get: $*"
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "apt-get could not install: $*"
    fi
    rm -f "$log"
}

# The names among the arguments that are neither installed nor provided by an
# installed package (newer Debians have libglib2.0-0t64 in place of libglib2.0-0).
missing_packages() {
    local present name
    present=$(dpkg-query -W -f '${db:Status-Status}, ${Package}, ${Provides}\n' |
        sed -n 's/^installed, //p' | sed 's/([^)]*)//g' | tr ', ' '\n\n')
    for name in "$@"; do
        grep -qxF "$name" <<<"$present" || echo "$name"
    done
}

set_up_system() {
    # Only Debian and its children name packages so; elsewhere the screen tests
    # say what they miss. A machine with a display has what it takes.
    command -v dpkg-query >/dev/null || return 0
    [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    local missing
    mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if can_apt; then
        apt_install "${missing[@]}"
    else
        say "these packages are missing, screen tests and pictures will fail:"
        say "  sudo apt-get install ${missing[*]}"
    fi
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null || die "PYTHON=$PYTHON: no such program"
        new_enough "$PYTHON" || die "napari-dgc needs Python 3.11 or newer;" \
            "$PYTHON is $("$PYTHON" --version 2>&1). Name another: make setup PYTHON=python3.12"
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    die "napari-dgc needs Python 3.11 or newer, and none is on the PATH" \
        "(python3 is $(python3 --version 2>&1 || true))." \
        "Install one, or name it: make setup PYTHON=/path/to/python3.12"
}

# A folder with an interpreter and pip that has not been moved since it was made:
# the programs in bin/ begin with the path of their interpreter.
usable() {
    [ -x "$1/bin/python" ] && new_enough "$1/bin/python" &&
        "$1/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ ! -e "$1/pyvenv.cfg" ] || grep -qF "$(cd "$1" && pwd)" "$1/bin/activate"
}

set_up_environment() {
    local venv=$1 python started=$SECONDS
    if ! usable "$venv"; then
        if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
            die "$venv exists and is no Python environment; name another place: make VENV=..."
        fi
        python=$(find_python)
        if ! "$python" -c 'import ensurepip' 2>/dev/null; then
            can_apt || die "$python has no ensurepip: install python3-venv (Debian, Ubuntu)"
            apt_install python3-venv
        fi
        say "making $venv with $("$python" --version)"
        "$python" -m venv --clear "$venv"
    fi

    local pip=("$venv/bin/python" -m pip --disable-pip-version-check install --quiet --quiet
        --constraint constraints.txt)
    [ "$(id -u)" != 0 ] || export PIP_ROOT_USER_ACTION=ignore
    say "installing torch"
    "${pip[@]}" "$(grep '^torch==' constraints.txt)"
    say "installing napari-dgc (editable), PyQt6 and the tools for tests"
    "${pip[@]}" PyQt6 PyQt6-Qt6 --editable '.[dev]'
    "$venv/bin/python" -m pip check >/dev/null || "$venv/bin/python" -m pip check >&2
    pwd -P >"$venv/.napari-dgc"
    say "$venv is ready ($((SECONDS - started)) s)"
}

case "${1:-}" in
    system) set_up_system ;;
    environment) set_up_environment "${2:?which folder?}" ;;
    *) die "usage: scripts/setup.sh system | environment VENV" ;;
esac
