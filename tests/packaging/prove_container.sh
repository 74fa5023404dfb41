#!/usr/bin/env bash
# Builds the image and checks that it keeps what docs/decisions/0005-container.md promises.
#
#   sudo tests/packaging/prove_container.sh
#
# Needs Debian, root, network, and: apt-get install podman runc catatonit debootstrap curl git
# No image registry and no Docker engine are needed: unless BASE_IMAGE names an image, a base is made
# from Debian packages. Takes some minutes; not part of `make test`. What it makes is removed in the end,
# but for the base image and pip's download cache (a cache mount of the build).
#
#   BASE_IMAGE      what to build on, e.g. docker.io/library/python:3.13-slim-bookworm
#   DEBIAN_MIRROR   where debootstrap finds packages (default: its own)
#   PODMAN          podman and its options, e.g. "podman --runtime runc"
#   RUN_OPTIONS     more options of `podman run`, e.g. "--ulimit nofile=1024:1024" where limits may not be raised
#   PORT            a free port of 127.0.0.1 (default 18000)
#
# How pip reaches its index is this machine's business: its certificates and pip's settings are
# mounted while building, and end up in no layer (checked below).
set -euo pipefail
cd "$(dirname "$0")/../.."

read -ra podman <<<"${PODMAN:-podman}"
read -ra run_options <<<"${RUN_OPTIONS:-}"
port=${PORT:-18000}
name=projectionist-proof-$$
image=localhost/$name
volume=$name
key=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
scratch=$(mktemp -d)
failures=0

cleanup() {
    "${podman[@]}" rm --force --ignore --time 1 "$name" >/dev/null 2>&1 || true
    "${podman[@]}" volume rm --force "$volume" >/dev/null 2>&1 || true
    "${podman[@]}" rmi --force "$image" >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap cleanup EXIT

section() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# check NAME COMMAND…: the command must succeed; its output is shown when it does not.
check() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf '  ok    %s\n' "$what"
    else
        printf '  FAIL  %s\n%s\n' "$what" "$(cut -c1-300 <<<"$output" | head -20)"
        failures=$((failures + 1))
    fi
}

equals() { [ "$1" = "$2" ] || { echo "expected '$2', found '$1'"; return 1; }; }
contains() { grep -qF -- "$2" <<<"$1" || { echo "'$2' is missing in: $1"; return 1; }; }
lacks() { ! grep -qiF -- "$2" <<<"$1" || { echo "'$2' is in: $1"; return 1; }; }
below() { [ "$1" -le "$2" ] || { echo "$1 is more than $2"; return 1; }; }

status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@" || true; }
answer() { curl --silent --show-error --header "Authorization: Bearer $key" "$@"; }

# The way compose.yaml runs it.
hardened=(--init --read-only --read-only-tmpfs=false --tmpfs /tmp:size=64m,mode=1777
    --cap-drop ALL --security-opt no-new-privileges)

start() {
    "${podman[@]}" run --detach --name "$name" "${run_options[@]}" "${hardened[@]}" \
        --volume "$volume:/data" --publish "127.0.0.1:$port:8000" \
        --env "PROJECTIONIST_API_KEY=$key" "$image" >/dev/null 2>"$scratch/start.log" || {
        cat "$scratch/start.log"
        exit 1
    }
}

ready_within() {
    local limit=$1 begin=$SECONDS
    until [ "$(status "http://127.0.0.1:$port/readyz")" = 200 ]; do
        if [ $((SECONDS - begin)) -ge "$limit" ] || [ -z "$("${podman[@]}" ps --quiet --filter "name=$name")" ]; then
            "${podman[@]}" logs "$name"
            return 1
        fi
        sleep 0.5
    done
}

# once OPTIONS -- COMMAND: runs to its end; sets $said (output) and $code.
once() {
    local options=()
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    code=0
    said=$("${podman[@]}" run --rm --no-healthcheck "${run_options[@]}" "${options[@]}" "$image" "$@" 2>&1) || code=$?
}

inside() { "${podman[@]}" exec "$name" "$@"; }

if [ -z "${BASE_IMAGE:-}" ]; then
    BASE_IMAGE=localhost/projectionist-python-base
    if ! "${podman[@]}" image exists "$BASE_IMAGE"; then
        section "a base image from Debian packages: $BASE_IMAGE"
        debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
            bookworm "$scratch/base" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$scratch/debootstrap.log"
        tar --directory "$scratch/base" --create . | "${podman[@]}" import - "$BASE_IMAGE" >/dev/null 2>&1
        rm -rf "$scratch/base"
    fi
fi

section "build on $BASE_IMAGE"
# What a clone would hold, the files that are not committed yet included.
mkdir "$scratch/source"
git ls-files --cached --others --exclude-standard -z | while IFS= read -rd '' file; do
    [ -e "$file" ] && printf '%s\0' "$file"
done | tar --null --files-from=- --create | tar --directory "$scratch/source" --extract
{
    echo "[global]"
    python3 -m pip config list 2>/dev/null |
        sed -nE "s/^[^=]*\.(index-url|extra-index-url|cert|proxy|trusted-host|timeout)='(.*)'$/\1 = \2/p" | sort -u -t= -k1,1
} >"$scratch/pip.conf"
"${podman[@]}" build --layers=false --isolation chroot --format docker --build-arg "BASE_IMAGE=$BASE_IMAGE" \
    --volume /etc/ssl/certs:/etc/ssl/certs:ro --volume "$scratch/pip.conf:/etc/pip.conf:ro" \
    --tag "$image" "$scratch/source" >"$scratch/build.log" 2>&1 || { tail -30 "$scratch/build.log"; exit 1; }
printf '  size  %s\n' "$("${podman[@]}" image inspect --format '{{.Size}}' "$image" | numfmt --to=si)B"

section "the image"
config=$("${podman[@]}" image inspect "$image")
check "names its user, volume, port, stop signal and health check" contains \
    "$("${podman[@]}" image inspect --format '{{.Config.User}} {{.Config.Volumes}} {{.Config.ExposedPorts}} {{.Config.StopSignal}} {{.HealthCheck.Test}}' "$image")" \
    "10001:10001 map[/data:{}] map[8000/tcp:{}] SIGTERM [CMD /opt/projectionist/bin/python3"
check "holds no key" lacks "$config" "API_KEY"
check "says nothing of how pip found its index" lacks "$config" "index-url"
once --entrypoint /bin/sh -- -c 'cat /etc/pip.conf /root/.config/pip/pip.conf 2>/dev/null | wc -c'
check "holds no settings of pip" equals "$said" 0
once --entrypoint /opt/projectionist/bin/python3 -- -c \
    'from importlib.util import find_spec as f; print([m for m in ("app", "pip", "hatchling", "editables") if f(m)])'
check "has neither pip nor a build backend" equals "$said" "['app']"
once --entrypoint /bin/sh -- -c 'find /opt/projectionist -writable | wc -l'
check "cannot change its own code" equals "$said" 0

section "refusals"
once "${hardened[@]}" --
check "without a key it does not start" equals "$code" 1
check "and says what to do" contains "$said" "openssl rand -hex 32"
once --read-only --read-only-tmpfs=false --tmpfs /dev/shm:ro -- --version
check "nothing writable for the kernels: says what to do" contains "$said" "--tmpfs /tmp"
mkdir -m 755 "$scratch/of-root"
once "${hardened[@]}" --volume "$scratch/of-root:/data" --env "PROJECTIONIST_API_KEY=$key" --
check "a folder of root on /data: does not start" equals "$code" 1
check "and says what to do" contains "$said" "chown 10001:10001"
once --read-only --read-only-tmpfs=false -- --version
check "without a tmpfs on /tmp it takes /dev/shm" equals "$code" 0

section "first start"
start
begin=$SECONDS
check "is ready within 300 s" ready_within 300
printf '  note  ready after %s s\n' $((SECONDS - begin))
base=http://127.0.0.1:$port
check "/livez" equals "$(status "$base/livez")" 200
check "health check" "${podman[@]}" healthcheck run "$name"
for page in / /map /docs; do check "page $page" equals "$(status "$base$page")" 200; done
path=/v1/users/1/recommendations
check "recommendations without a key: 401" equals "$(status "$base$path")" 401
check "with a wrong key: 401" equals "$(status --header "Authorization: Bearer wrong" "$base$path")" 401
check "with the key: 200" equals "$(status --header "Authorization: Bearer $key" "$base$path")" 200
before=$(answer "$base$path?n=3")
check "they are movies with titles" contains "$before" '"title":"'
movie=$(sed -E 's/.*"movies":\[\{"movie_id":"([^"]+)".*/\1/' <<<"$before")
answer --request PUT --header "Content-Type: application/json" --data '{"rating": 5}' \
    "$base/v1/users/1/ratings/$movie" >"$scratch/put"
check "a rating is stored" contains "$(cat "$scratch/put")" '"version":'
after=$(answer "$base$path?n=3")
check "and the next list reflects it" contains "$after" '"fresh_ratings":1'
check "by leaving out movie $movie" lacks "$after" "\"movie_id\":\"$movie\""

section "its cell"
facts=$(inside sh -c 'id -u; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status | tr "\t\n" "  "')
check "runs as 10001 without capabilities and cannot gain any" equals "$(tr '\n' ' ' <<<"$facts" | sed 's/  */ /g')" \
    "10001 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 "
for folder in /data /tmp; do
    check "can write to $folder" "${podman[@]}" exec "$name" sh -c "touch $folder/probe && rm $folder/probe"
done
for folder in / /opt/projectionist /opt/projectionist/kernels /var/tmp /home; do
    check "cannot write to $folder" bash -c "! ${podman[*]} exec $name touch $folder/probe"
done
layer=$("${podman[@]}" inspect --format '{{.GraphDriver.Data.UpperDir}}' "$name")
check "the container's own layer exists" test -d "$layer"
# Podman puts its own notes and the init process into /run.
check "and holds no file of ours: all that was written is in /data and /tmp" \
    equals "$(find "$layer" -type f -not -path "$layer/run/*")" ""

section "kernels"
trace=$("${podman[@]}" exec --env NUMBA_DEBUG_CACHE=1 "$name" projectionist train 2>&1)
check "a training loads them" contains "$trace" "[cache] data loaded"
check "and compiles none" lacks "$trace" "[cache] data saved"
check "without a warning" lacks "$trace" "warning"
trace=$("${podman[@]}" exec --env NUMBA_DEBUG_CACHE=1 --env NUMBA_CPU_NAME=generic "$name" projectionist train 2>&1)
check "on another CPU it compiles them into memory" contains "$trace" "[cache] data saved to '/tmp/projectionist-kernels/"
trace=$("${podman[@]}" exec --env NUMBA_DEBUG_CACHE=1 --env NUMBA_CPU_NAME=generic "$name" projectionist train 2>&1)
check "once" lacks "$trace" "[cache] data saved"
check "without a warning" lacks "$trace" "warning"

section "stop"
begin=$SECONDS
"${podman[@]}" stop --time 30 "$name" >/dev/null 2>&1
check "SIGTERM stops it within 20 s" below $((SECONDS - begin)) 20
check "with exit status 0" equals "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$name")" 0
log=$("${podman[@]}" logs "$name" 2>&1)
check "its log ends with 'stopped'" contains "$(tail -1 <<<"$log")" '"message":"stopped"'
check "its log holds no warning" lacks "$log" "warning"
check "nor the key" lacks "$log" "$key"
"${podman[@]}" rm "$name" >/dev/null 2>&1

section "second start, a new container on the same volume"
start
begin=$SECONDS
check "is ready within 60 s" ready_within 60
printf '  note  ready after %s s\n' $((SECONDS - begin))
log=$("${podman[@]}" logs "$name" 2>&1)
check "imports nothing again" lacks "$log" "importing"
check "serves the newest generation" contains "$(answer "$base/readyz")" '"generation":4'
kept=$(answer "$base/v1/users/1/ratings?limit=500" | grep -oE "\"movie_id\":\"$movie\"[^}]*\"rating\":[0-9.]+")
check "the rating is kept" contains "$kept" '"rating":5.0'
"${podman[@]}" stop --time 30 "$name" >/dev/null 2>&1
check "stops with exit status 0" equals "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$name")" 0

section "done"
if [ "$failures" -gt 0 ]; then
    printf '%s checks failed\n' "$failures"
    exit 1
fi
echo "everything holds"
