#!/bin/sh
# Has a child that ignores SIGTERM; says `ready` when it does, and stays. The child makes the file $1.
sh -c 'trap "" TERM; : >"$1"; exec sleep 1000' sh "$1" &
while [ ! -e "$1" ]; do sleep 0.01; done
echo ready
exec sleep 1000
