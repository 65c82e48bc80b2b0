"""Which pod gets which address: one slice, round robin, with a rest for freed addresses.

Round robin instead of lowest-free, and a quarantine after release, keep stale conntrack entries and ARP caches of a
gone pod from hitting its successor. A pod that starts anew after a reboot gets the address that it had, if that is
free: rules and endpoints of all nodes name it, and without a master nobody could tell them another one. The truth is
not kept here: after a restart the pool is told (`restore`) what the running sandboxes hold. Upstream: the host-local
IPAM plugin of CNI.
"""

from ipaddress import IPv4Address, IPv4Network

FIRST_OFFSET = 2
"""Offset 0 is the network address, 1 the gateway."""


class AddressesExhaustedError(OSError):
    """Every address of the slice is held by a pod or rests in quarantine; trying again later can help."""


class AddressPool:
    """The addresses of one pod CIDR, by owner (pod uid)."""

    def __init__(self, pod_cidr: str, quarantine_s: float) -> None:
        self._network = IPv4Network(pod_cidr)
        self._quarantine_s = quarantine_s
        self._last_offset = self._network.num_addresses - 2
        self._cursor = self._last_offset
        self._held: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._freed_at_s: dict[str, float] = {}

    def address_of(self, owner: str) -> str | None:
        """Return what `owner` holds."""
        return self._held.get(owner)

    def holders(self) -> tuple[str, ...]:
        """Return the owners, sorted."""
        return tuple(sorted(self._held))

    def allocate(self, owner: str, now_s: float, wanted: str = "") -> str:
        """Return the owner's address; if it holds none, `wanted` where that is free, else the next one.

        Raises:
            AddressesExhaustedError: none is free.
        """
        if owner in self._held:
            return self._held[owner]
        if self._is_assignable(wanted) and self._is_free(wanted, now_s):
            self._take(owner, wanted)
            return wanted
        size = self._last_offset - FIRST_OFFSET + 1
        for step in range(1, size + 1):
            offset = FIRST_OFFSET + (self._cursor - FIRST_OFFSET + step) % size
            address = str(self._network[offset])
            if self._is_free(address, now_s):
                self._cursor = offset
                self._take(owner, address)
                return address
        raise AddressesExhaustedError(
            f"no free address in {self._network}: {len(self._held)} held, "
            f"{len(self._freed_at_s)} freed less than {self._quarantine_s:g} s ago"
        )

    def release(self, owner: str, now_s: float) -> None:
        """Let the owner's address rest and then return to the pool; fine when it holds none."""
        address = self._held.pop(owner, None)
        if address is not None:
            del self._owners[address]
            self._freed_at_s[address] = now_s

    def restore(self, owner: str, address: str) -> bool:
        """Record what a pod that already runs holds.

        Returns:
            False when the address is outside the slice, reserved, or held by another owner: it was not recorded.
        """
        if not self._is_assignable(address) or self._owners.get(address, owner) != owner:
            return False
        if self._held.get(owner, address) != address:
            return False
        self._take(owner, address)
        return True

    def last_allocated(self) -> str:
        """Return the address after which the next search begins; kept across restarts by the caller."""
        return str(self._network[self._cursor])

    def resume_after(self, address: str) -> None:
        """Begin the next search after `address`; an address outside the slice is ignored."""
        if self._is_assignable(address):
            self._cursor = int(IPv4Address(address)) - int(self._network.network_address)

    def _is_assignable(self, address: str) -> bool:
        try:
            offset = int(IPv4Address(address)) - int(self._network.network_address)
        except ValueError:
            return False
        return FIRST_OFFSET <= offset <= self._last_offset

    def _is_free(self, address: str, now_s: float) -> bool:
        if address in self._owners:
            return False
        freed_at_s = self._freed_at_s.get(address)
        if freed_at_s is None:
            return True
        if now_s - freed_at_s < self._quarantine_s:
            return False
        del self._freed_at_s[address]
        return True

    def _take(self, owner: str, address: str) -> None:
        self._held[owner] = address
        self._owners[address] = owner
        self._freed_at_s.pop(address, None)
