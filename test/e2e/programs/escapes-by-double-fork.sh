#!/bin/sh
# Leaves a process behind that has another session and another parent, and ignores SIGTERM. Its pid goes to the file $1.
# Says `ready` when it does, and then stays as well; SIGTERM ends this one.
setsid sh -c 'sh -c '\''trap "" TERM; echo $$ >"$1.new" && mv "$1.new" "$1"; exec sleep 1000'\'' sh "$1" &' sh "$1"
while [ ! -e "$1" ]; do sleep 0.01; done
echo ready
exec sleep 1000
