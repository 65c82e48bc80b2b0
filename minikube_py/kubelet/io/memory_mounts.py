"""Volumes in memory stay out of the swap space, where the kernel can keep them out: they hold keys and passwords.

Tried, not asked for by version: `noswap` came with Linux 6.4, was taken over by some older kernels, and is refused
inside a user namespace. Upstream: kubelet/util/swap IsTmpfsNoswapOptionSupported.
"""

import errno
import logging
import tempfile

from minikube_py.kubelet.io.mounts import Mounts

log = logging.getLogger("kubelet")

NOSWAP = "noswap"


class MemoryMounts:
    """Mounts tmpfs for one kubelet; what the kernel has refused once is not tried again."""

    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts
        self._noswap = True

    def try_noswap(self, directory: str) -> bool:
        """Return whether the kernel can keep a tmpfs out of the swap space, tried in a directory of ours.

        Raises:
            OSError: it could not be tried.
        """
        with tempfile.TemporaryDirectory(dir=directory, prefix="noswap-") as path:
            try:
                self._mounts.mount("tmpfs", path, NOSWAP)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._noswap = False
                return False
            self._mounts.unmount(path)
        return True

    def mount(self, path: str, options: str) -> None:
        """Mount a tmpfs with `options`.

        Raises:
            OSError: the kernel refused.
        """
        if self._noswap:
            try:
                self._mounts.mount("tmpfs", path, ",".join(filter(None, (options, NOSWAP))))
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                return
        self._mounts.mount("tmpfs", path, options)
        if self._noswap:
            # Said only now: had the options of the volume been wrong, this one had failed too.
            log.info(
                "this kernel has no %s for tmpfs: what volumes in memory hold may be swapped to the disk", NOSWAP
            )
            self._noswap = False
