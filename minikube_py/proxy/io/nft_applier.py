"""The proxy's table in the kernel: made by `nft`, changed by netlink batches (implements RulesetApplier).

Whoever else changes the table is noticed through the kernel's notifications, which carry the netlink port of the
changer. Our batches have a known one; an `nft` child of ours has one that is not known before, so while it runs one
stranger is expected.
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import orjson

from minikube_py.kit.io.netlink_monitor import SO_RCVBUFFORCE, open_netlink_monitor
from minikube_py.kit.io.process import Finished, ProcessError, run_program
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.netlink_batch import BatchRefusedError, count_acknowledgements, encode_batch
from minikube_py.proxy.nft_events import changers
from minikube_py.proxy.nft_listing import ListingError, parse_listing
from minikube_py.proxy.nft_script import render_removal, render_script
from minikube_py.proxy.ports import RulesetError
from minikube_py.proxy.ruleset import Ruleset, Transaction

P = ParamSpec("P")
T = TypeVar("T")
NETLINK_NETFILTER = 12
SO_SNDBUFFORCE = 32
SEND_BUFFER_BYTES_MIN = 1 << 16
RECEIVE_BUFFER_BYTES = 1 << 21
ANSWER_BYTES_MAX = 1 << 16
ANSWER_TIMEOUT_S = 30.0
NFT_TIMEOUT_S = 60.0
NFNLGRP_NFTABLES = 7
PORTS_REMEMBERED_MAX = 16
"""Netlink ports of our earlier sockets, whose notifications may still be under way."""
LISTING_BYTES_MAX = 1 << 28


class NftApplier:
    """One nftables table; a single caller at a time."""

    def __init__(self, config: ProxyConfig) -> None:
        self._config = config
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nftables")
        self._netlink: socket.socket | None = None
        self._sequence = 1
        self._monitor: socket.socket | None = None
        self._foreign_change = asyncio.Event()
        self._strangers: set[int] | None = None
        self._ports: deque[int] = deque(maxlen=PORTS_REMEMBERED_MAX)

    def use(self, config: ProxyConfig) -> None:
        """Go on with other settings; the table is to be replaced."""
        self._config = config

    async def apply(self, transaction: Transaction) -> None:
        """Apply all of it or nothing.

        Raises:
            RulesetError: it was refused; the table is as before.
        """
        if not transaction.replace_table:
            await self._beside(self._send_batch, transaction)
            return
        self._strangers = set()
        try:
            # Thousands of Services make megabytes of text: rendered beside the loop, not in it.
            script = await self._beside(render_script, transaction, self._config)
            finished = await _nft(("-f", "-"), script)
            self._read_notifications()
            if len(self._strangers) > 1:
                self._foreign_change.set()
        finally:
            self._strangers = None
        if finished.exit_code != 0:
            raise RulesetError(f"nft refused a change of table {self._config.table}: {finished.stderr[:500].strip()}")

    async def list_table(self) -> Ruleset | None:
        """Return what stands in the table; None when it is missing or not of this version.

        Raises:
            RulesetError: it cannot be listed.
        """
        finished = await _nft(("-j", "list", "table", "ip", self._config.table))
        if finished.exit_code != 0:
            if "No such file or directory" in finished.stderr:
                return None
            raise RulesetError(f"cannot list table {self._config.table}: {finished.stderr[:500].strip()}")
        try:
            return await self._beside(_read_listing, finished.stdout, self._config)
        except (ListingError, orjson.JSONDecodeError) as error:
            raise RulesetError(f"cannot read the listing of table {self._config.table}: {error}") from error

    async def remove_table(self) -> None:
        """Remove the table; fine when there is none."""
        finished = await _nft(("-f", "-"), render_removal(self._config.table))
        if finished.exit_code != 0:
            raise RulesetError(f"cannot remove table {self._config.table}: {finished.stderr[:500].strip()}")

    async def wait_foreign_change(self) -> None:
        """Wait until somebody else may have changed the table since the first call of this method.

        Raises:
            RulesetError: the kernel's notifications cannot be received.
        """
        loop = asyncio.get_running_loop()
        if self._monitor is None:
            try:
                # It stays open between calls, so that the kernel keeps what happens meanwhile.
                self._monitor = open_netlink_monitor(NETLINK_NETFILTER, 1 << (NFNLGRP_NFTABLES - 1))
            except OSError as error:
                raise RulesetError(f"netlink: {error}") from error
        monitor = self._monitor
        loop.add_reader(monitor, self._read_notifications)
        try:
            await self._foreign_change.wait()
            self._foreign_change.clear()
        finally:
            loop.remove_reader(monitor)

    def _read_notifications(self) -> None:
        try:
            while self._monitor is not None:
                found = changers(self._monitor.recv(ANSWER_BYTES_MAX), self._config.table)
                self._note_changers(found.difference(self._ports))
        except BlockingIOError:
            return
        except OSError:
            # ENOBUFS: more notifications than the buffer holds. If it was not our own child: look.
            if self._strangers is None:
                self._foreign_change.set()

    def _note_changers(self, strangers: frozenset[int]) -> None:
        if self._strangers is not None:
            self._strangers |= strangers
        elif strangers:
            self._foreign_change.set()

    def close(self) -> None:
        """Close the sockets and end the thread; the table stays."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None
        self._executor.shutdown(wait=False)

    async def _beside(self, work: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        """Run `work` in the thread of this applier."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)

    def _send_batch(self, transaction: Transaction) -> None:
        batch, expected = encode_batch(transaction, self._config, self._sequence)
        self._sequence = (self._sequence + expected + 2) & 0x7FFFFFFF
        try:
            self._exchange(batch, expected)
        except BatchRefusedError as error:
            # Answers to the rest of the batch may still come: they belong to this socket and go with it.
            self._drop_socket()
            raise RulesetError(
                f"the kernel refused a change of table {self._config.table}: {os.strerror(error.errno)}"
            ) from error
        except OSError as error:
            self._drop_socket()
            raise RulesetError(f"netlink: {error}") from error

    def _exchange(self, batch: bytes, expected: int) -> None:
        if self._netlink is None:
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
            self._netlink.settimeout(ANSWER_TIMEOUT_S)
            self._netlink.bind((0, 0))
            self._ports.append(int(self._netlink.getsockname()[0]))
        if len(batch) > SEND_BUFFER_BYTES_MIN:
            self._netlink.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, len(batch) * 2)
            self._netlink.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        self._netlink.send(batch)
        acknowledged = 0
        while acknowledged < expected:
            acknowledged += count_acknowledgements(self._netlink.recv(ANSWER_BYTES_MAX))

    def _drop_socket(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None


def _read_listing(text: str, config: ProxyConfig) -> Ruleset | None:
    return parse_listing(orjson.loads(text), config)


async def _nft(arguments: tuple[str, ...], stdin: str = "") -> Finished:
    try:
        return await run_program(
            ("nft", *arguments), stdin=stdin.encode(), timeout_s=NFT_TIMEOUT_S, output_bytes_max=LISTING_BYTES_MAX
        )
    except ProcessError as error:
        raise RulesetError(str(error)) from error
