#!/bin/sh
# hops.sh CHAINS HOPS FILE: chains of processes that ignore SIGTERM; each is in a session of its own, starts the next and
# ends. Writes FILE when a chain has come to its end by itself.
trap '' TERM
if [ "$1" = next ]; then
  if [ "$2" -gt 0 ]; then setsid "$0" next $(($2 - 1)) "$3" & else echo >"$3"; fi
  exit
fi
for chain in $(seq "$1"); do setsid "$0" next "$2" "$3" & done
exec sleep 1000
