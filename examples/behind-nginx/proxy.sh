#!/bin/sh
# Starts nginx. The first time it sends requests to the port given; later to where the last deploy pointed it.
set -eu
mkdir -p run
echo "listen 127.0.0.1:$HTTP_PORT;" >run/listen.conf
[ -e run/upstream.conf ] || echo "upstream api { server 127.0.0.1:$1; }" >run/upstream.conf
exec nginx -e stderr -p "$PWD" -c nginx.conf
