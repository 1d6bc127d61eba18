#!/bin/sh
# Writes numbered lines, and beside them (in written/) how far it certainly is. More copies than the first argument at a
# time are too many: told in `copies`. The second argument: after so many rounds it ends by itself, badly.
most=$1
rounds=${2:-0}
number=0
while [ "$number" -lt "$most" ]; do
  number=$((number + 1))
  exec 9>"locks/$SYSG_SERVICE.$number"
  flock -n 9 && break
  [ "$number" -lt "$most" ] || echo "$SYSG_INSTANCE" >>copies
done
line=0
round=0
isOver=
write() {
  until=$((line + $1))
  while [ "$line" -lt "$until" ]; do
    line=$((line + 1))
    echo "$SYSG_INSTANCE.$$ $line of version $VERSION"
  done
  echo "$line" >>"written/$SYSG_INSTANCE.$$"
}
# Not within a line: its number would be counted and never written.
trap 'isOver=yes' TERM
while :; do
  write 40
  [ -z "$isOver" ] || { write 5; exit 0; }
  round=$((round + 1))
  [ "$round" = "$rounds" ] && exit 3
  sleep 0.02
done
