# Sourced by the scripts: brings the host's packages, the virtual environment and a Docker engine, whatever is missing.
# Everything is idempotent: what is there already is left as it is.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${MINIKUBE_PY_VENV:-$root/.venv}
PYTHON=$venv/bin/python
export PATH=$venv/bin:$PATH
# Without its compiled modules every start of the agent would compile some 400 of them: half a second.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

need_root() { [ "$(id -u)" = 0 ] || fail "must run as root: it starts containers and sets kernel rules"; }

# need_packages COMMAND=PACKAGE[=PACKAGE_ON_RPM_HOSTS] …: installs the packages whose commands are missing.
need_packages() {
    local missing=() item command debian rpm
    for item in "$@"; do
        IFS='=' read -r command debian rpm <<<"$item"
        case "$command" in
            /*) [ -e "$command" ] && continue ;;
            *) have "$command" && continue ;;
        esac
        if have apt-get; then missing+=("$debian"); else missing+=("${rpm:-$debian}"); fi
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing ${missing[*]}"
    if have apt-get; then
        apt-get update -qq >/dev/null || say "apt-get update failed; trying with the lists that are there"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
            fail "cannot install ${missing[*]}: install them by hand and run this again"
    elif have dnf || have yum; then
        "$(command -v dnf || command -v yum)" install -y -q "${missing[@]}" >/dev/null ||
            fail "cannot install ${missing[*]}: install them by hand and run this again"
    else
        fail "neither apt-get nor dnf nor yum is here: install ${missing[*]} by hand and run this again"
    fi
}

need_host_packages() {
    need_packages dockerd=docker.io=docker-ce nft=nftables iptables=iptables conntrack=conntrack=conntrack-tools \
        ip=iproute2=iproute modprobe=kmod kubectl=kubernetes-client curl=curl \
        /etc/ssl/certs/ca-certificates.crt=ca-certificates
    # The example's image holds busybox and nothing else, so it must need no library; Debian's other package does.
    if ! have busybox || ldd "$(command -v busybox)" >/dev/null 2>&1; then
        need_packages no-such-command=busybox-static=busybox
    fi
}

# The virtual environment with locked versions; `need_environment dev` adds what the checks and tests need.
need_environment() {
    local wanted=requirements.lock
    [ "${1:-}" = dev ] && wanted=requirements-dev.lock
    local stamp=$venv/.installed-${1:-run} sum
    sum=$(cat "$root/$wanted" "$root/pyproject.toml" | sha256sum)
    [ -x "$PYTHON" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return 0
    if ! [ -x "$PYTHON" ]; then
        local base
        base=$(command -v python3 || true)
        [ -n "$base" ] || fail "python3 is missing: install Python 3.11 or later"
        "$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$("$base" --version) is too old: 3.11 or later is needed"
        "$base" -c 'import ensurepip' 2>/dev/null || need_packages no-such-command=python3-venv=python3
        say "making the virtual environment $venv"
        "$base" -m venv "$venv" || fail "cannot make the virtual environment $venv"
    fi
    say "installing Python packages ($wanted)"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$root/$wanted" ||
        fail "cannot install the Python packages of $wanted"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root" ||
        fail "cannot install minikube_py itself"
    make_descriptions
    "$PYTHON" -m compileall -q "$root/minikube_py"
    printf '%s' "$sum" >"$stamp"
}

# `kubectl explain` prints upstream's descriptions; they are not ours to commit and come from a package at install time.
make_descriptions() {
    local folder
    [ -e "$root/minikube_py/api/data/descriptions-1.36.json.gz" ] && return 0
    folder=$(mktemp -d)
    if "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --target "$folder" kubernetes-validate; then
        PYTHONPATH=$folder "$PYTHON" "$root/scripts/generate-tables" descriptions >&2 ||
            say "no descriptions for kubectl explain: everything else works"
    else
        say "the package kubernetes-validate cannot be had: kubectl explain will show no descriptions"
    fi
    rm -rf "$folder"
}

docker_answers() { docker -H "${DOCKER_ENGINE:-unix:///var/run/docker.sock}" version >/dev/null 2>&1; }

# A Docker engine: systemd's where systemd runs, else a dockerd in a session of its own.
need_docker() {
    docker_answers && return 0
    if [ -d /run/systemd/system ]; then
        systemctl enable --now docker >/dev/null 2>&1 || fail "systemd cannot start docker: see 'journalctl -u docker'"
    else
        say "starting dockerd (log: /var/log/dockerd.log)"
        setsid nohup dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
    fi
    local try
    for try in $(seq 150); do
        docker_answers && return 0
        sleep 0.2
    done
    fail "Docker does not answer: see /var/log/dockerd.log or 'journalctl -u docker'"
}
