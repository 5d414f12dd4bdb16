#!/usr/bin/env bash
# Install Python packages into an environment: with uv, which takes seconds, or with pip where uv is not to be had.
# Usage: packages.sh ENVIRONMENT ARGUMENT..., the arguments as pip and uv both take them.
set -euo pipefail
environment=$1
shift
python=$environment/bin/python
uv=$(command -v uv || true)
if [[ -z $uv ]] && "$python" -m pip install -qq --disable-pip-version-check "uv>=0.8" 2>/dev/null; then
  uv=$environment/bin/uv
fi
if [[ -n $uv ]]; then
  if "$uv" pip install --quiet --python "$python" "$@"; then exit 0; fi
  # An index of the user's own is known to pip alone, for example.
  printf '   uv could not; trying pip\n' >&2
fi
exec "$python" -m pip install -qq --disable-pip-version-check "$@"
