#!/usr/bin/env bash
# Run a command under one line of description; say every few seconds that it is still going.
# Its output goes to stderr, so that a target's stdout stays free for JSON.
set -uo pipefail
label=$1
shift
printf '== %s\n' "$label" >&2
start=$SECONDS
"$@" 1>&2 &
child=$!
trap 'kill "$child" 2>/dev/null' INT TERM
while kill -0 "$child" 2>/dev/null; do
  sleep 0.2
  waited=$((SECONDS - start))
  if ((waited > 0 && waited % 10 == 0 && waited != ${said:-0})); then
    said=$waited
    printf '   ... %s (%d s)\n' "$label" "$waited" >&2
  fi
done
wait "$child"
status=$?
if ((status != 0)); then printf '== FAILED (%d): %s\n' "$status" "$label" >&2; fi
exit "$status"
