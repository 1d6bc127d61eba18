#!/bin/sh
# breeds.sh CHILDREN FILE: as soon as it is told to stop, it and all it starts keep starting others in sessions of their own, at
# most CHILDREN in all: each takes a line of FILE.
breed() {
  while read -r line <&3; do setsid "$0" more & done
}
if [ "$1" = more ]; then
  trap '' TERM
  breed
  exec sleep 1000
fi
seq "$1" >"$2"
exec 3<"$2"
trap breed TERM
echo ready
while :; do sleep 1000 & wait; done
