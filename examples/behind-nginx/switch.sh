#!/bin/sh
# Points nginx to a port, and to another one for requests that the first does not answer: who served before, until it is
# stopped. Returns before nginx has switched: verify.js waits for that.
set -eu
backup=''
[ "${2:-$1}" = "$1" ] || backup="server 127.0.0.1:$2 backup max_fails=0;"
echo "upstream api { server 127.0.0.1:$1 max_fails=0; $backup }" >run/upstream.conf.new
mv run/upstream.conf.new run/upstream.conf
exec nginx -e stderr -p "$PWD" -c nginx.conf -s reload
