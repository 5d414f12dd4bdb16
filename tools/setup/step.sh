#!/usr/bin/env bash
# Run a command under one line of description and say that it is still going: a spinner with the
# elapsed time on a terminal, a line every few seconds elsewhere.
# All output goes to stderr, so that a target's stdout stays free for JSON.
set -uo pipefail
label=$1
shift
interval=5
printf '== %s\n' "$label" >&2
start=$SECONDS
said=0
tick=0
"$@" 1>&2 &
child=$!
trap 'kill "$child" 2>/dev/null' INT TERM
while kill -0 "$child" 2>/dev/null; do
  sleep 0.2
  waited=$((SECONDS - start))
  if ((waited < 2)); then continue; fi
  if [[ -t 2 ]]; then
    glyphs='|/-\'
    printf '\r   %s %d s \r' "${glyphs:tick++%4:1}" "$waited" >&2
  elif ((waited - said >= interval)); then
    said=$waited
    interval=$((interval < 20 ? interval + 5 : 30))
    printf '   ... %s (%d s)\n' "$label" "$waited" >&2
  fi
done
wait "$child"
status=$?
if ((status != 0)); then
  printf '== FAILED (exit %d): %s\n' "$status" "$label" >&2
elif ((SECONDS - start >= 2)); then
  printf '   done in %d s\n' "$((SECONDS - start))" >&2
fi
exit "$status"
