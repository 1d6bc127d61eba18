#!/bin/sh
# A shell with a child and a grandchild; says `ready` when all three run.
sh -c 'sleep 1000 & echo ready; wait' &
wait
