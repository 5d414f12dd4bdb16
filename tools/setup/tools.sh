#!/usr/bin/env bash
# Stop early, with one line, when the machine lacks what the set-up cannot install itself.
set -uo pipefail
python=$1

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "$python not found: install Python 3.11, or name it: make PYTHON=/path/to/python3.11"
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || fail "$python is $("$python" --version 2>&1), Python 3.11 is needed"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module: install python3.11-venv"
command -v node >/dev/null || fail "node not found: install Node 20 or later"
command -v npm >/dev/null || fail "npm not found: install it with Node 20 or later"
major=$(node -p 'process.versions.node.split(".")[0]')
((major >= 20)) || fail "node is version $major, 20 or later is needed"
