#!/bin/sh
# Installs locked packages, by hash, and this project from its folder into a virtual environment:
#
#     locks/install.sh PYTHON VENV LOCK...
#
# PROJECT=no leaves the project out.
#
# uv does it in seconds: the one on the PATH, else the one of locks/uv.txt, which pip installs first. Where uv
# can't be had or fails, pip does it in minutes. Both show what they do.
set -eu
python=$1 venv=$2
shift 2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"scorebench needs Python 3.11 or newer, found {sys.version.split()[0]}; try make PYTHON=python3.11")'
cd "$(dirname "$0")/.."
[ -x "$venv/bin/pip" ] ||
    uv venv -q --seed --allow-existing --python "$(command -v "$python")" "$venv" 2>/dev/null ||
    "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# uv doesn't read pip's settings; what says where packages come from holds for both.
setting() { pip config get "global.$1" 2>/dev/null || true; }
index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-$(setting index-url)}}}
certificates=${SSL_CERT_FILE:-${PIP_CERT:-$(setting cert)}}
with_uv() {
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    [ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
    if uv --version >/dev/null 2>&1; then
        uv=uv
    else
        echo "installing uv" >&2
        pip install -q --require-hashes -r locks/uv.txt || return 1
        uv=$venv/bin/uv
    fi
    for lock; do
        echo "installing $lock with uv" >&2
        "$uv" pip install --python "$venv/bin/python" --require-hashes -r "$lock" || return 1
    done
    [ "${PROJECT:-}" = no ] || "$uv" pip install -q --python "$venv/bin/python" --no-deps -e . || return 1
}
with_pip() {
    for lock; do
        echo "installing $lock with pip, which takes minutes" >&2
        pip install --require-hashes -r "$lock" || return 1
    done
    [ "${PROJECT:-}" = no ] || pip install -q --no-deps -e .
}
if ! with_uv "$@"; then
    echo "uv could not do it; pip can" >&2
    with_pip "$@"
fi
