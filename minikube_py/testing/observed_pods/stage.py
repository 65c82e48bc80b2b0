"""What the recorded pods found around them: two images, ConfigMaps, a Secret, a Service, a folder of the host.

The recording used busybox and agnhost. Both are made of this host's busybox here: agnhost's few paths that the
scenarios ask for (a header, a status, a redirect) are a shell script behind `nc`.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minikube_py.kubelet.image_archive import ArchiveEntry, ImageArchive, render_image
from minikube_py.testing.images import APPLETS, BUSYBOX_PATHS, is_static
from minikube_py.testing.observed_pods.scenarios import NAMESPACE

IMAGES = ("busybox:1.29", "k8s.gcr.io/e2e-test-images/agnhost:2.21")
HOST_FOLDER = Path("/var/obs-hostpath")
"""A scenario's hostPath, whose mounts its container follows."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_AGNHOST = b"""#!/bin/sh
case "$1" in
pause) trap "exit 0" TERM INT; while :; do sleep 1 & wait; done ;;
netexec) trap "exit 2" TERM INT; nc -ll -p 8080 -e /answer & wait ;;
--*) exit 0 ;;
*) exec "$@" ;;
esac
"""
_ANSWER = b"""#!/bin/sh
read -r method path version
key=
while read -r line; do
  line=$(echo "$line" | tr -d '\\r')
  [ -z "$line" ] && break
  case "$line" in X-Obs:*) key=${line#*: } ;; esac
done
say() { printf 'HTTP/1.1 %s\\r\\nConnection: close\\r\\n%sContent-Length: %d\\r\\n\\r\\n%s' "$1" "$3" ${#2} "$2"; }
case "$path" in
/echo*) code=${path##*code=}; say "$code Said" bad "" ;;
/redirect*) say "302 Found" '<a href="http://0.0.0.0/">Found</a>.

' "$(printf 'Location: http://0.0.0.0/\\r\\n.')" ;;
/header*) say "200 OK" "$key" "" ;;
*) say "200 OK" "NOW" "" ;;
esac
"""


def stage_images(architecture: str) -> tuple[ImageArchive, ...]:
    """Return the images, of this host's static busybox.

    Raises:
        FileNotFoundError: the host has none.
    """
    for path in map(Path, BUSYBOX_PATHS):
        if path.is_file() and is_static(program := path.read_bytes()):
            break
    else:
        raise FileNotFoundError("no static busybox on this host: install busybox-static (Debian) or busybox (EPEL)")
    entries = [ArchiveEntry(name, folder=True, mode=0o755) for name in ("bin/", "etc/", "proc/", "root/", "sys/")]
    entries += [ArchiveEntry("tmp/", folder=True, mode=0o1777), ArchiveEntry("bin/busybox", program, 0o755)]
    entries += [ArchiveEntry(f"bin/{name}", mode=0o777, link_to="busybox") for name in APPLETS]
    entries.append(ArchiveEntry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"))
    entries.append(ArchiveEntry("etc/group", b"root:x:0:\n"))
    config: Mapping[str, object] = {"Env": [f"PATH={DEFAULT_PATH}"], "Cmd": ["sh"]}
    more = [ArchiveEntry("agnhost", _AGNHOST, 0o755), ArchiveEntry("answer", _ANSWER, 0o755)]
    served: Mapping[str, object] = {"Env": [f"PATH={DEFAULT_PATH}"], "Entrypoint": ["/agnhost"]}
    return (
        render_image(architecture, IMAGES[:1], entries, config),
        render_image(architecture, IMAGES[1:], [*entries, *more], served),
    )


def stage_objects() -> tuple[Mapping[str, Any], ...]:
    """Return the objects that the scenarios refer to; the namespace comes first."""
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _object("ConfigMap", "obs-cm", data={"k": "v", "k2": "v2"}),
        _object("ConfigMap", "obs-cm-badkeys", data={"1bad": "x", "good": "y"}),
        _object("Secret", "obs-secret", stringData={"k": "s"}),
        _object(
            "Service",
            "obs-svc",
            spec={
                "selector": {"app": "nobody"},
                "ports": [
                    {"name": "web", "port": 80},
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                ],
            },
        ),
    )


@contextmanager
def shared_folder(folder: Path) -> Iterator[None]:
    """Let mounts below a folder of the host be seen in containers, as they are where systemd made / shared."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "--make-shared", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
        with suppress(OSError):  # another run has it
            folder.rmdir()


def _object(kind: str, name: str, **content: Any) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **content}
