#!/bin/sh
# Points nginx to another port. It returns before nginx has switched: verify.js waits for that.
set -eu
echo "upstream api { server 127.0.0.1:$1; }" >run/upstream.conf.new
mv run/upstream.conf.new run/upstream.conf
exec nginx -e stderr -p "$PWD" -c nginx.conf -s reload
