#!/bin/sh
# Makes a machine a node: `provision.sh server|agent NODE_IP SERVER_IP`; run again it changes nothing.
# The one file was pushed to /tmp/minikube-py, an agent's token to /tmp/minikube-py.token. Plain sh: CentOS 7 has it too.
set -eu
role=$1 node_ip=$2 server_ip=$3
pushed=${MINIKUBE_PY_PUSHED:-/tmp/minikube-py}
program=/usr/local/bin/minikube-py

case $role in
    server | agent) ;;
    *)
        echo "provision.sh: the role is server or agent, not $role" >&2
        exit 2
        ;;
esac

have() { command -v "$1" >/dev/null 2>&1; }

install_docker() {
    if have apt-get; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io nftables iptables conntrack
    elif have yum; then
        # CentOS 7's own Docker (1.13) is older than what is needed: DOCKER_REPO is the URL of a .repo file with docker-ce.
        yum install -y -q yum-utils iptables conntrack-tools
        [ -z "${DOCKER_REPO:-}" ] || yum-config-manager --add-repo "$DOCKER_REPO" >/dev/null
        yum install -y -q docker-ce
    else
        echo "provision.sh: neither apt-get nor yum is here: install Docker by hand" >&2
        exit 1
    fi
}

have dockerd || install_docker
systemctl enable --now docker

# An installed program is upgraded by the one that was pushed; the same one changes nothing.
[ -e "$program" ] || install -m 0755 "$pushed" "$program"
chmod 0755 "$pushed"
case $role in
    server)
        "$program" install server --node-ip="$node_ip" --tls-san="$node_ip"
        ;;
    agent)
        mkdir -p /etc/minikube-py
        [ ! -e "$pushed.token" ] || install -m 0600 "$pushed.token" /etc/minikube-py/token
        rm -f "$pushed.token"  # others could read it here
        "$program" install agent --node-ip="$node_ip" --server="https://$server_ip:6443" \
            --token-file=/etc/minikube-py/token
        ;;
esac
[ ! -e "$pushed" ] || "$program" upgrade "$pushed"
rm -f "$pushed"
"$program" status --wait 120
