# Read by docker/install: what it has to know, from options, the answers file, or a person; each checked at once.
# shellcheck shell=sh disable=SC2154,SC2034 # docker/install sets and reads the rest
ANSWERS="name admin certificate mail-server mail-user mail-password-file mail-tls mail-sender time-zone"

is_answer() { # is_answer NAME
    case $1 in
        "" | *[!a-z-]*) return 1 ;;
    esac
    case " $ANSWERS " in
        *" $1 "*) ;;
        *) return 1 ;;
    esac
}
give() { # give NAME VALUE
    eval "given_$(printf '%s' "$1" | tr - _)=\$2"
}
given() { # given NAME: what an option or the file said, or nothing
    eval "printf '%s' \"\${given_$(printf '%s' "$1" | tr - _):-}\""
}
read_answers() { # read_answers FILE: lines NAME=value, named like the options
    number=0
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        case $line in
            "" | "#"*) ;;
            *=*)
                is_answer "${line%%=*}" \
                    || { echo "$1, line $number: '${line%%=*}' is none of: $ANSWERS" >&2; exit 2; }
                # An option wins.
                [ -n "$(given "${line%%=*}")" ] || give "${line%%=*}" "${line#*=}"
                ;;
            *) echo "$1, line $number: is not NAME=value" >&2; exit 2 ;;
        esac
    done < "$1"
}

ask() { # ask NAME QUESTION DEFAULT CHECK: sets answer
    answer=$(given "$1")
    while :; do
        if [ -z "$answer" ] && [ -z "$yes" ]; then
            printf '%s%s: ' "$2" "${3:+ [$3]}"
            IFS= read -r answer || { echo; fail "there is no answer; give --$1, or ask with a terminal"; }
        fi
        answer=${answer:-$3}
        problem=$("$4" "$answer")
        if [ -z "$problem" ]; then
            return 0
        fi
        [ -z "$yes" ] || fail "--$1: $problem"
        printf '     %s\n' "$problem"
        answer=""
    done
}
looks_like() { # looks_like VALUE EXTENDED-REGULAR-EXPRESSION: the whole value
    printf '%s\n' "$1" | grep -Eqx -- "$2"
}
addresses_of() { # addresses_of NAME
    getent ahostsv4 "$1" 2> /dev/null | awk '!seen[$1]++ { print $1 }'
}

# Each prints what is wrong with a value, in a line, or nothing.
check_name() {
    if ! looks_like "$1" '([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?'; then
        echo "'$1' is not a host name such as tickets.theatre.org (no https://, no path, small letters)"
    elif [ "$certificate" != none ] && ! looks_like "$1" '.*\..*'; then
        echo "'$1' is known on this machine only; the public needs a name such as tickets.theatre.org"
    elif [ -z "$(addresses_of "$1")" ]; then
        echo "'$1' leads nowhere: make an A record with this server's address at your DNS provider, wait some minutes"
    fi
}
check_address() {
    looks_like "$1" '[^@<>[:space:]]+@[^@<>[:space:]]+\.[^@<>[:space:]]+' \
        || echo "'$1' is not an e-mail address such as anna@theatre.org"
}
check_sender() { # an address, with a name or without
    check_address "$(printf '%s\n' "$1" | sed 's/^[^<>]*<\([^<>]*\)>$/\1/')"
}
check_certificate() {
    case $1 in
        acme) ;;
        /*)
            for file in fullchain.pem privkey.pem; do
                if [ ! -r "$1/$file" ]; then
                    echo "there is no $file in $1 that can be read"
                    return
                fi
            done
            ;;
        *) echo "'$1' is neither acme nor the full path of a folder with fullchain.pem and privkey.pem" ;;
    esac
}
check_mail_server() {
    if ! looks_like "$1" '[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9][0-9]{0,4})?'; then
        echo "'$1' is not a mail server such as smtp.provider.org or smtp.provider.org:465"
    elif [ -z "$(addresses_of "${1%:*}")" ]; then
        echo "'${1%:*}' leads nowhere: see the name in your mail provider's help"
    fi
}
check_mail_tls() {
    looks_like "$1" 'starttls|tls|none' || echo "'$1' is none of starttls, tls, none"
}
check_file() {
    [ -r "$1" ] && [ -s "$1" ] || echo "there is no file $1 with something in it"
}
check_zone() {
    if ! looks_like "$1" '[A-Za-z]+(/[A-Za-z0-9_+-]+)*'; then
        echo "'$1' is not a time zone such as Europe/Rome"
    elif [ -d /usr/share/zoneinfo/Europe ] && [ ! -f "/usr/share/zoneinfo/$1" ]; then
        echo "there is no time zone $1; it is written like Europe/Rome"
    fi
}
check_anything() {
    :
}

write() { # write SETTING VALUE: into .env, if it says something else
    [ "$(setting "$1")" != "$2" ] || return 0
    value=$2
    case $value in
        *[!A-Za-z0-9_.,:/@+-]*) value="\"$value\"" ;;
    esac
    NAME=$1 VALUE=$value awk 'index($0, ENVIRON["NAME"] "=") == 1 { $0 = ENVIRON["NAME"] "=" ENVIRON["VALUE"]; found = 1 }
        { print } END { if (!found) print ENVIRON["NAME"] "=" ENVIRON["VALUE"] }' "$env_file" > "$scratch/env"
    cat "$scratch/env" > "$env_file"
}

ask_for_site() { # name, certificate, administrator, time zone
    suggested=""
    [ "$certificate" != none ] || suggested=localhost
    ask name "The site's name, as visitors type it" "$suggested" check_name
    name=$answer
    addresses=$(addresses_of "$name")
    if [ "$certificate" != none ]; then
        for address in $addresses; do
            hostname -I 2> /dev/null | tr ' ' '\n' | grep -qxF "$address" \
                || say note "$name leads to $address, which is no address of this machine: right only behind a router or proxy"
        done
        if [ "$(getent ahostsv6 "$name" 2> /dev/null | grep -cv '^::ffff:')" != 0 ]; then
            say note "$name has an IPv6 address (AAAA) too; remove it: the site is published by IPv4 alone"
        fi
    fi
    if [ -z "$certificate" ]; then
        ask certificate "Certificate: acme (from Let's Encrypt, whose terms you accept by it), or the folder of your own" \
            acme check_certificate
        certificate=$answer
    fi
    ask admin "The first administrator's e-mail address" "" check_address
    admin=$answer
    here=$(cat /etc/timezone 2> /dev/null || readlink /etc/localtime | sed 's|.*/zoneinfo/||')
    case $here in
        "" | UTC | Etc/UTC) here=Europe/Rome ;; # a server's clock, hardly a theatre's
    esac
    ask time-zone "Time zone" "$here" check_zone
    scheme=https
    port=""
    [ "$certificate" != none ] || scheme=http
    if [ "$scheme" = http ]; then
        port=$(setting HTTP_PORT)
        port=${port##*:}
        [ "${port:-80}" != 80 ] && write PUBLIC_PORT "$port" && port=:$port || port=""
    fi
    write TIME_ZONE "$answer"
    write SITE_BASE_URL "$scheme://$name$port"
    write ALLOWED_HOSTS "$name"
    write CSRF_TRUSTED_ORIGINS "$scheme://$name$port"
    write FLASK_DEBUG "$([ "$scheme" = http ] && echo true || echo false)"
}
ask_for_mail() { # the mail account; what .env says already is suggested
    suggested=$(setting MAIL_SERVER)
    ask mail-server "Mail server (port 587 unless you add another, as :465)" \
        "$suggested${suggested:+:$(setting MAIL_PORT)}" check_mail_server
    server=$answer
    port=587
    case $server in
        *:*) port=${server##*:} ;;
    esac
    ask mail-user "Account at the mail server (none: it asks for no account)" "$(setting MAIL_USERNAME)" check_anything
    user=$answer
    [ "$user" != none ] || user=""
    if [ -n "$user" ]; then
        ask_for_password
    fi
    suggested=$(setting MAIL_DEFAULT_SENDER)
    [ "$suggested" != "noreply@theatre.example" ] || suggested=""
    ask mail-sender "Sender of the site's mails, an address of your own domain" "$suggested" check_sender
    sender=$answer
    tls=$(given mail-tls)
    if [ -z "$tls" ]; then
        tls=$([ "$port" = 465 ] && echo tls || echo starttls)
    fi
    problem=$(check_mail_tls "$tls")
    [ -z "$problem" ] || fail "--mail-tls: $problem"
    write MAIL_SERVER "${server%:*}"
    write MAIL_PORT "$port"
    write MAIL_USERNAME "$user"
    write MAIL_DEFAULT_SENDER "$sender"
    write MAIL_USE_TLS "$([ "$tls" = starttls ] && echo true || echo false)"
    write MAIL_USE_SSL "$([ "$tls" = tls ] && echo true || echo false)"
}
ask_for_password() { # of the mail account, into its file
    folder=$(setting SECRETS_DIR)
    file=$(cd "$root/docker" && cd "${folder:-./secrets}" && pwd)/mail_password
    if [ -n "$(given mail-password-file)" ]; then
        ask mail-password-file "" "" check_file
        head -n 1 "$answer" | tr -d '\r\n' > "$file"
    elif [ -z "$yes" ]; then
        printf 'Its password (not shown; empty: as it is in %s): ' "$file"
        [ ! -t 0 ] || stty -echo
        IFS= read -r password || { [ ! -t 0 ] || stty echo; fail "there is no answer; give --mail-password-file"; }
        [ ! -t 0 ] || { stty echo; echo; }
        [ -z "$password" ] || printf '%s' "$password" > "$file"
    fi
    [ -s "$file" ] || fail "--mail-password-file: is needed with --mail-user"
}
