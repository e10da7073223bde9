# Read by docker/install, docker/upgrade and docker/azionelab: what they say while they work, and the project that they
# work on. They set env_file (the settings' file), project (Compose's name for the stack, or empty), dry_run and `fail`.
# shellcheck shell=sh disable=SC2086,SC2154,SC2034 # lists are split into their lines on purpose; the rest is theirs
# Lists are lines: a path may hold a space.
IFS='
'

begun=$(date +%s)
say() { # say MARK LINE: with the seconds since the start
    printf '%-4s %4s s  %s\n' "$1" "$(($(date +%s) - begun))" "$2"
}
try() { # try WHAT COMMAND...: its output is kept for the case of a failure
    doing=$1
    shift
    say ... "$doing"
    "$@" > "$log" 2>&1 < /dev/null || fail "$doing"
    say ok "$doing"
}
finish() { # finish LINE
    trap - EXIT
    say ok "$1"
    rm -rf "$scratch"
    exit 0
}

begin() { # a folder for what is to be kept from view, and an end that goes by `fail`
    exec 3>&1 4>&2
    scratch=$(mktemp -d)
    log=$scratch/log
    : > "$log"
    trap 'fail interrupted' INT TERM HUP PIPE
    trap 'fail "an unexpected error"' EXIT
}
be_alone() { # one at a time in a checkout
    # The folder itself: a file of its own would make the checkout a changed one.
    exec 9< "$root/docker"
    if command -v flock > /dev/null && ! flock -n 9; then
        trap - EXIT
        rm -rf "$scratch"
        echo "docker/install or docker/upgrade is at work in this folder already; wait for its end" >&2
        exit 1
    fi
}

compose() {
    docker compose --project-name "$project" --env-file "$env_file" $files "$@"
}
typed() { # typed ARGUMENT...: the command as a person would write it
    printf '%s ' docker compose --project-name "$project" --env-file "$env_file" $files
    printf '%s' "$*" | tr '\n' ' '
}
inspect() { # inspect FORMAT CONTAINER...
    docker inspect --format "$@"
}
containers() { # containers SERVICE: all that Compose counts, the oldest first
    docker ps --all --quiet --no-trunc \
        --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" \
        --filter label=com.docker.compose.oneoff=False | tac
}
setting() { # setting NAME: as .env says
    sed -n "s/^$1=//p" "$env_file" | tail -n 1 | sed 's/^"\(.*\)"$/\1/'
}
find_project() { # sets project, if no option did
    [ -n "$project" ] || project=$(AZIONELAB_TAG=any docker compose --env-file "$env_file" -f "$root/docker/compose.yml" \
        config 2> "$log" | sed -n 's/^name: //p')
    [ -n "$project" ] || fail "reading docker/compose.yml"
}
overlays_in_use() { # overlays_in_use: the files that what runs was started with
    docker ps --all --filter "label=com.docker.compose.project=$project" \
        --filter label=com.docker.compose.oneoff=False \
        --format '{{.Label "com.docker.compose.project.config_files"}}' | tr ',' '\n' \
        | awk 'NF && !seen[$0]++'
}
take_files() { # take_files LIST: sets files, as arguments of docker compose
    files="-f$IFS$root/docker/compose.yml"
    for file in $1; do
        name=${file##*/}
        [ "$name" != compose.yml ] || continue
        case $file in
            */docker/"$name") [ ! -e "$root/docker/$name" ] || file=$root/docker/$name ;;
        esac
        if [ ! -e "$file" ]; then
            echo "the overlay $file is not there; name those to use with -f" > "$log"
            fail "reading the overlays in use"
        fi
        files="$files$IFS-f$IFS$file"
        shown="$shown $name"
    done
}
overlays() { # overlays: those in use; where nothing was started yet, those that settings in .env are for
    found=$(overlays_in_use)
    if [ -z "$found" ]; then
        while IFS=' ' read -r name file; do
            [ -z "$(setting "$name")" ] || found="$found${found:+$IFS}$root/docker/$file"
        done << 'END'
UPSTREAM_PROXY compose.upstream-tls.yml
RESTIC_REPOSITORY compose.offsite.yml
SENTRY_DSN compose.sentry.yml
AUTHORITY_FILE compose.authority.yml
DISPOSABLE_LIST compose.disposable.yml
END
        case $(setting SITE_BASE_URL) in
            http://*) [ -n "$(setting UPSTREAM_PROXY)" ] || found="$found${found:+$IFS}$root/docker/compose.http.yml" ;;
        esac
    fi
    printf '%s' "$found"
}
read_files() { # sets rendered and hashes, of the files that `take_files` set
    compose config --quiet > "$log" 2>&1 || fail "reading the Compose files"
    rendered=$(compose config)
    hashes=$(compose config --hash '*')
}
configured() { # configured SERVICE KEY: a line of Compose's own rendering
    printf '%s\n' "$rendered" | awk -v service="  $1:" -v key="$2:" \
        '/^  [a-z]/ { here = $0 == service } /^[a-z]/ { here = 0 } here { sub(/^ +/, "") }
         here && index($0, key " ") == 1 { sub(/^[^ ]* /, ""); gsub(/^"|"$/, ""); print; exit }'
}
is_known() { # is_known SERVICE: whether the Compose files have it
    printf '%s\n' "$hashes" | grep -q "^$1 "
}
that_serve() { # that_serve CONTAINER...: those that run and are healthy, as far as they say
    for container in "$@"; do
        [ "$(inspect '{{.State.Status}} {{with .State.Health}}{{.Status}}{{else}}healthy{{end}}' "$container")" \
            != "running healthy" ] || echo "$container"
    done
}
missing_images() { # missing_images: the services whose images are not there, of the tag in .env
    ! is_known entrance || docker image inspect "$(configured entrance image)" > /dev/null 2>&1 || echo entrance
    for service in backend nginx backup; do
        docker image inspect "azionelab-$service:$(setting AZIONELAB_TAG)" > /dev/null 2>&1 || echo "$service"
    done
}
make_secrets() { # those that are not there yet
    secrets=$(setting SECRETS_DIR)
    (cd "$root/docker" && ./new-secrets "${secrets:-./secrets}") > "$log" 2>&1 || fail "docker/new-secrets"
    : > "$log"
}
way_in() { # way_in: how `flask smoke` reaches nginx inside, by the overlays that `take_files` set
    case $shown in
        *compose.http.yml*) printf '%s\n' --connect-to entrance:8080 ;;
        *compose.upstream-tls.yml*) printf '%s\n' --as-proxy-to entrance:8080 ;;
        *) printf '%s\n' --connect-to entrance:8443 --connect-to-http entrance:8080 ;;
    esac
}
