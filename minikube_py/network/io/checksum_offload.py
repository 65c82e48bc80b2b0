"""Switching off a device's transmit checksum offload (`ethtool -K DEVICE tx off`), without the program."""

import ctypes
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM = 0x16
ETHTOOL_STXCSUM = 0x17
_REQUEST = struct.Struct("@16sP")
"""struct ifreq: the device's name and a pointer to the ethtool value."""


def switch_off_checksum_offload(name: str) -> None:
    """Let the kernel compute checksums of what the device sends.

    Raises:
        OSError: the device does not exist, or cannot do it.
    """
    _ethtool(name, ETHTOOL_STXCSUM, 0)


def has_checksum_offload(name: str) -> bool:
    """Return whether what the device sends gets its checksums later; OSError when the device does not exist."""
    return _ethtool(name, ETHTOOL_GTXCSUM, 0) != 0


def _ethtool(name: str, command: int, value: int) -> int:
    data = bytearray(struct.pack("=II", command, value))
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = _REQUEST.pack(name.encode(), ctypes.addressof(buffer))
        fcntl.ioctl(control, SIOCETHTOOL, request.ljust(40, b"\0"))
    return int(struct.unpack("=II", bytes(data))[1])
