#!/bin/sh
# Read the container's settings, write nginx's configuration, and become the command given (nginx).
# It prints one line for each wrong setting, with its name first, and exits with status 1. docs/nginx.md
# describes the settings.
# Without -f a "*" in a setting would become the names of files.
set -euf

problems=""
refuse() { # refuse LINE
    problems="$problems$1
"
}
matches() { # matches VALUE EXTENDED-REGULAR-EXPRESSION: the whole value, which has one line
    [ "$(printf '%s\n' "$1" | grep -c '')" = 1 ] && printf '%s\n' "$1" | grep -Eqx -- "$2"
}
words() { # words LIST: what commas and spaces divide
    printf '%s' "$1" | tr ',' ' '
}

octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
ipv4="$octet(\\.$octet){3}"
h='[0-9A-Fa-f]{1,4}'
ipv6="($h:){7}$h|($h:){1,7}:|($h:){1,6}:$h|($h:){1,5}(:$h){2}|($h:){1,4}(:$h){3}|($h:){1,3}(:$h){4}"
ipv6="$ipv6|($h:){1,2}(:$h){5}|$h:(:$h){6}|:((:$h){1,7}|:)"
host='[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?'
port='([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'

check() { # check NAME VALUE EXPRESSION WHAT-IT-IS-NOT
    matches "$2" "$3" || refuse "$1: '$2' is not $4"
}
check_networks() { # check_networks NAME LIST
    for network in $(words "$2"); do
        check "$1" "$network" "$ipv4(/(3[0-2]|[12]?[0-9]))?|($ipv6)(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?" \
            "an address or network such as 192.0.2.0/24"
    done
}
read_rate() { # read_rate NAME VALUE: sets rate (as nginx writes it) and burst
    rate=1r/s burst=1
    if matches "$2" '[1-9][0-9]{0,5} per (second|minute)'; then
        # So many at once, and then as many in each second or minute.
        burst=${2%% *}
        unit=${2##* }
        rate="${burst}r/$(printf '%.1s' "$unit")"
    else
        refuse "$1: '$2' is not a rate such as '30 per minute'"
    fi
}
check_file() { # check_file NAME PATH
    if ! matches "$2" '/[A-Za-z0-9._/-]+'; then
        refuse "$1: '$2' is not a full path of plain characters"
    elif [ ! -e "$2" ]; then
        refuse "$1: $2 does not exist; put it into the folder of CERTIFICATES_DIR (docker/certificates)"
    elif [ ! -f "$2" ] || [ ! -r "$2" ]; then
        refuse "$1: $2 cannot be read by user $(id -u)"
    fi
}

SERVE=${SERVE:-tls}
ALLOWED_HOSTS=$(words "${ALLOWED_HOSTS:-}")
PUBLIC_PORT=${PUBLIC_PORT:-}
UPSTREAM_PROXY=${UPSTREAM_PROXY:-}
TLS_CERTIFICATE=${TLS_CERTIFICATE:-/etc/nginx/tls/fullchain.pem}
TLS_CERTIFICATE_KEY=${TLS_CERTIFICATE_KEY:-/etc/nginx/tls/privkey.pem}
HSTS_SECONDS=${HSTS_SECONDS:-31536000}
BOX_OFFICE_NETWORKS=${BOX_OFFICE_NETWORKS:-}
BACKEND=${BACKEND:-backend:8000}
RESOLVER=${RESOLVER:-127.0.0.11}
ENTRANCE=${ENTRANCE:-}
# Paths in the image; tests use others.
TEMPLATES=${TEMPLATES:-/usr/local/share/azionelab-nginx}
SITE_ROOT=${SITE_ROOT:-/usr/share/nginx/site}
ACME_WEBROOT=${ACME_WEBROOT:-/var/www/acme}
MEDIA_DIR=${MEDIA_DIR:-/srv/media}
RUN_DIR=${RUN_DIR:-/tmp/nginx}
# What outlives the container where this is a volume: cached pages, and the assets of earlier releases.
KEPT_DIR=${KEPT_DIR:-$RUN_DIR/kept}
PAGES_DIR=${PAGES_DIR:-$KEPT_DIR/pages}
ACCESS_LOG=${ACCESS_LOG:-/dev/stdout}
TAKE_SOCKETS=${TAKE_SOCKETS:-entrance}
HTTP_LISTEN=${HTTP_LISTEN:-8080}
TLS_LISTEN=${TLS_LISTEN:-8443}
PAGES_LISTEN=${PAGES_LISTEN:-127.0.0.1:8082}
STATUS_LISTEN=${STATUS_LISTEN:-127.0.0.1:8081}

check SERVE "$SERVE" 'tls|http|upstream' 'one of tls, http, upstream'
matches "$ALLOWED_HOSTS" ' *' && refuse \
    'ALLOWED_HOSTS: is empty; set ALLOWED_HOSTS=tickets.your-theatre.org'
our_names=""
for name in $ALLOWED_HOSTS; do
    check ALLOWED_HOSTS "$name" "$host" 'a host name such as tickets.theatre.org'
    our_names="$our_names$name 1; "
done
port_suffix=""
if [ -n "$PUBLIC_PORT" ]; then
    check PUBLIC_PORT "$PUBLIC_PORT" "$port" 'a port from 1 to 65535'
    port_suffix=":$PUBLIC_PORT"
fi
check HSTS_SECONDS "$HSTS_SECONDS" '[0-9]{1,9}' 'a whole number of seconds'
check BACKEND "$BACKEND" "$host:$port" 'like backend:8000'
check RESOLVER "$RESOLVER" "$ipv4(:$port)?" 'the address of a name server, such as 127.0.0.11'
[ -z "$ENTRANCE" ] || check ENTRANCE "$ENTRANCE" '/[A-Za-z0-9._/-]+' 'a full path of plain characters'
read_rate BOOKING_RATE "${BOOKING_RATE:-30 per minute}"
booking_rate=$rate booking_burst=$burst
read_rate LOGIN_RATE "${LOGIN_RATE:-10 per minute}"
login_rate=$rate login_burst=$burst
read_rate API_RATE "${API_RATE:-20 per second}"
api_rate=$rate api_burst=$burst
read_rate DOOR_RATE "${DOOR_RATE:-100 per second}"
door_rate=$rate door_burst=$burst

check_networks BOX_OFFICE_NETWORKS "$BOX_OFFICE_NETWORKS"
box_office=""
for network in $(words "$BOX_OFFICE_NETWORKS"); do
    box_office="$box_office$network 1; "
done
upstream="" real_ip_from=""
if [ "$SERVE" = upstream ]; then
    [ -n "$UPSTREAM_PROXY" ] || refuse 'UPSTREAM_PROXY: is missing; list the addresses of the proxy'
    check_networks UPSTREAM_PROXY "$UPSTREAM_PROXY"
    for network in $(words "$UPSTREAM_PROXY"); do
        upstream="$upstream$network 1; "
        real_ip_from="${real_ip_from}set_real_ip_from $network; "
    done
fi
if ! mkdir -p "$RUN_DIR" 2>/dev/null || [ ! -w "$RUN_DIR" ]; then
    refuse "${RUN_DIR%/*}: cannot be written by user $(id -u); mount a tmpfs there"
elif ! mkdir -p "$KEPT_DIR/static/assets" 2>/dev/null || [ ! -w "$KEPT_DIR" ]; then
    refuse "KEPT_DIR: $KEPT_DIR cannot be written by user $(id -u), who must own the volume"
fi

# In Compose, wait a moment for a certificate that is not there or is wrong. A container that ended within ten seconds
# is restarted after a pause that grows, and counts as unhealthy meanwhile: `up --wait` would fail again after the files
# were added. One that ran longer is restarted at once.
waited=0 patience=0
[ -z "$ENTRANCE" ] || patience=12
wait_for_files() { # wait_for_files LINES: says what is wrong once, and fails when it is time to give up
    [ "$waited" -gt 0 ] || printf '%s\n' "$1" >&2
    [ "$waited" -lt "$patience" ] || return 1
    sleep 1
    waited=$((waited + 1))
}
if [ -n "$problems" ] || [ "$SERVE" != tls ]; then
    patience=0
fi
others=$problems
while
    problems=$others
    if [ "$SERVE" = tls ]; then
        check_file TLS_CERTIFICATE "$TLS_CERTIFICATE"
        check_file TLS_CERTIFICATE_KEY "$TLS_CERTIFICATE_KEY"
    fi
    [ -n "$problems" ]
do
    wait_for_files "${problems%?}" || exit 1
done

# Served from there, with those of other releases. Renamed into place: another nginx may be serving them.
kept=$KEPT_DIR/static/assets
find "$kept" -type f -mtime +60 -delete
find "$KEPT_DIR" -maxdepth 1 -name 'new.*' -mmin +60 -exec rm -r {} +
new=$(mktemp -d "$KEPT_DIR/new.XXXXXX")
find "$SITE_ROOT/static/assets" -type f -exec cp -t "$new" {} +
find "$new" -type f -exec mv -f -t "$kept" {} +
rmdir "$new"

# The error pages have their style inline, and their content security policy names its digest.
error_style=$(sed -n "s/.*style-src '\(sha256-[^']*\)'.*/\1/p" "$SITE_ROOT/static/errors/503.html")

# Since 1.25.1 a directive of its own, before that a parameter of `listen`.
version=$(nginx -v 2>&1 | sed 's|.*/\([0-9.]*\).*|\1|')
http2="" http2_listen=" http2"
if [ "$(printf '%s\n1.25.1\n' "$version" | sort -V | head -n 1)" = 1.25.1 ]; then
    http2="http2 on;" http2_listen=""
fi

# A language in an address, as azionelab/web/languages/pages.py writes it. Which there are only the site knows.
language='[a-z]{2,3}(-[A-Za-z]{2,8})?'

# Every value was checked, or is a path of the image: none holds a character that sed interprets.
set +f
for template in "$TEMPLATES"/*.conf; do
    sed \
        -e "s|@SERVE@|$SERVE|g" \
        -e "s|@LANGUAGE@|$language|g" \
        -e "s|@ALLOWED_HOSTS@|$ALLOWED_HOSTS|g" \
        -e "s|@OUR_NAMES@|$our_names|g" \
        -e "s|@PORT_SUFFIX@|$port_suffix|g" \
        -e "s|@UPSTREAM@|$upstream|g" \
        -e "s|@REAL_IP_FROM@|$real_ip_from|g" \
        -e "s|@TLS_CERTIFICATE@|$TLS_CERTIFICATE|g" \
        -e "s|@TLS_CERTIFICATE_KEY@|$TLS_CERTIFICATE_KEY|g" \
        -e "s|@HSTS_SECONDS@|$HSTS_SECONDS|g" \
        -e "s|@HTTP2@|$http2|g" \
        -e "s|@HTTP2_LISTEN@|$http2_listen|g" \
        -e "s|@BOOKING_RATE@|$booking_rate|g" \
        -e "s|@BOOKING_BURST@|$booking_burst|g" \
        -e "s|@LOGIN_RATE@|$login_rate|g" \
        -e "s|@LOGIN_BURST@|$login_burst|g" \
        -e "s|@API_RATE@|$api_rate|g" \
        -e "s|@API_BURST@|$api_burst|g" \
        -e "s|@DOOR_RATE@|$door_rate|g" \
        -e "s|@DOOR_BURST@|$door_burst|g" \
        -e "s|@BOX_OFFICE@|$box_office|g" \
        -e "s|@BACKEND@|$BACKEND|g" \
        -e "s|@RESOLVER@|$RESOLVER|g" \
        -e "s|@ERROR_STYLE@|$error_style|g" \
        -e "s|@SITE_ROOT@|$SITE_ROOT|g" \
        -e "s|@ACME_WEBROOT@|$ACME_WEBROOT|g" \
        -e "s|@MEDIA_DIR@|$MEDIA_DIR|g" \
        -e "s|@RUN_DIR@|$RUN_DIR|g" \
        -e "s|@KEPT_DIR@|$KEPT_DIR|g" \
        -e "s|@PAGES_DIR@|$PAGES_DIR|g" \
        -e "s|@ACCESS_LOG@|$ACCESS_LOG|g" \
        -e "s|@HTTP_LISTEN@|$HTTP_LISTEN|g" \
        -e "s|@TLS_LISTEN@|$TLS_LISTEN|g" \
        -e "s|@PAGES_LISTEN@|$PAGES_LISTEN|g" \
        -e "s|@STATUS_LISTEN@|$STATUS_LISTEN|g" \
        "$template" > "$RUN_DIR/${template##*/}"
done

# Only nginx can check these: a file that is no certificate, a key of another certificate.
until errors=$(nginx -t -q -e stderr -c "$RUN_DIR/nginx.conf" 2>&1); do
    wait_for_files "$(printf '%s\n' "$errors" | sed -n 's/^.*\[emerg\] \([0-9#]*: \)\{0,1\}/nginx: /p')" || exit 1
done
[ -n "$ENTRANCE" ] || exec "$@"
# The ports belong to another container, so that nginx can be replaced with nobody refused.
ports=$HTTP_LISTEN
[ "$SERVE" != tls ] || ports="$ports $TLS_LISTEN"
exec "$TAKE_SOCKETS" take "$ENTRANCE" "$ports" "$@"
