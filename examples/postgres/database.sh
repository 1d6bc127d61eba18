#!/bin/sh
# PostgreSQL with its data in `data`, made the first time. It refuses to run as root, so root becomes `postgres`.
set -eu
if [ "$(id -u)" = 0 ]; then
  mkdir -p data
  chown postgres data
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0"
fi
# Debian has it in a folder of its version.
for folder in /usr/lib/postgresql/*/bin; do PATH=$folder:$PATH; done
[ -e data/PG_VERSION ] || initdb --pgdata=data --username=postgres --auth=trust --no-sync >/dev/null
exec postgres -D data -c listen_addresses=127.0.0.1 -c unix_socket_directories=
