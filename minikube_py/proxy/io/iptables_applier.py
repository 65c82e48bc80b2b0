"""The proxy's chains in ip_tables, by `iptables-restore` (implements RulesetApplier), for hosts without nftables.

One restore for each transaction, with the chains that change. What others change is noticed by the number and size of
a table's rules, which the kernel tells for the cost of one system call; a change that keeps both is found at the next
regular verification.
"""

import asyncio
import ctypes
import logging
import socket

from minikube_py.kit.io.xtables import Xtables, XtablesError, find_xtables
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_script import (
    parse_save,
    render_changes,
    render_removal,
    render_replacement,
    stands,
)
from minikube_py.proxy.iptables_skeleton import TableName
from minikube_py.proxy.iptables_tables import ImpossibleChangeError, IptablesTables
from minikube_py.proxy.ports import RulesetError
from minikube_py.proxy.ruleset import NO_ENDPOINTS, NO_ENDPOINTS_NODE_PORTS, Ruleset, Transaction

log = logging.getLogger("proxy")
_LIBC = ctypes.CDLL(None, use_errno=True)
TABLES: tuple[TableName, ...] = ("nat", "filter")
IPT_SO_GET_INFO = 64
IPT_GETINFO_BYTES = 84
COUNTS_OFFSET = 76
"""Where `num_entries` and `size` stand in struct ipt_getinfo."""
POLL_INTERVAL_S = 1.0


class IptablesApplier:
    """Our chains in the tables nat and filter; a single caller at a time."""

    def __init__(self, config: ProxyConfig) -> None:
        self._config = config
        self._programs: Xtables | None = None
        self._tables: IptablesTables | None = None
        self._counts: bytes | None = None
        self._is_changing = False
        self._foreign_change = asyncio.Event()

    def use(self, config: ProxyConfig) -> None:
        """Go on with other settings; the chains are to be replaced."""
        self._config = config

    async def apply(self, transaction: Transaction) -> None:
        """Apply all of it or nothing.

        Raises:
            RulesetError: it was refused; the chains are as before.
        """
        self._is_changing = True
        try:
            if transaction.replace_table:
                await self._replace(transaction)
            else:
                await self._change(transaction)
        except XtablesError as error:
            raise RulesetError(str(error)) from error
        finally:
            self._is_changing = False

    async def _replace(self, transaction: Transaction) -> None:
        programs = await self._find_programs()
        tables = IptablesTables(self._config, "MASQUERADE --random-fully" if programs.fully_random else "MASQUERADE")
        # Thousands of Services make megabytes of text: read and rendered beside the loop, not in it.
        await asyncio.to_thread(tables.change, transaction)
        script = ""
        for table in TABLES:
            script += await asyncio.to_thread(_replacement, await programs.save(table), table, tables)
        # What stands already is not touched: a restart of a healthy proxy changes nothing.
        if script:
            await programs.restore(script)
        self._tables = tables
        self._counts = _counts()

    async def _change(self, transaction: Transaction) -> None:
        programs = await self._find_programs()
        if self._tables is None:
            raise RulesetError("No such file or directory: the chains were not made yet")
        try:
            changes, undo = self._tables.change(transaction)
        except ImpossibleChangeError as error:
            raise RulesetError(str(error)) from error
        # New refusals first: a packet must not leave the host between the two tables.
        refuses = any(key.map in _REFUSALS for key, _ in transaction.add_elements)
        order: tuple[TableName, ...] = ("filter", "nat") if refuses else TABLES
        script = "".join(render_changes(table, changes[table]) for table in order)
        if not script:
            return
        self._look_for_strangers()
        try:
            await programs.restore(script)
        except XtablesError:
            self._tables.change(undo)
            raise
        self._counts = _counts()

    async def list_table(self) -> Ruleset | None:
        """Return what stands; None when chains are missing, differ from what was applied, or nothing was yet.

        Raises:
            RulesetError: they cannot be listed.
        """
        if self._tables is None:
            return None
        try:
            programs = await self._find_programs()
            for table in TABLES:
                if not await asyncio.to_thread(_stands, await programs.save(table), table, self._tables):
                    return None
        except XtablesError as error:
            raise RulesetError(str(error)) from error
        return self._tables.ruleset()

    async def remove_table(self) -> None:
        """Remove our chains and the jumps into them; fine when there are none, or no iptables at all."""
        try:
            programs = await find_xtables()
        except XtablesError:
            # Without the programs nobody has made rules.
            return
        try:
            script = "".join([render_removal(parse_save(await programs.save(table)), table) for table in TABLES])
            if script:
                await programs.restore(script)
        except XtablesError as error:
            raise RulesetError(f"cannot remove the proxy's chains: {error}") from error
        self._tables = None

    async def wait_foreign_change(self) -> None:
        """Wait until somebody else may have changed the tables."""
        while not self._foreign_change.is_set():
            if not self._is_changing:
                self._look_for_strangers()
            if not self._foreign_change.is_set():
                await asyncio.sleep(POLL_INTERVAL_S)
        self._foreign_change.clear()

    def close(self) -> None:
        """Nothing is held open; the chains stay."""

    def _look_for_strangers(self) -> None:
        counts = _counts()
        if self._counts is not None and counts != self._counts:
            self._foreign_change.set()
            self._counts = counts

    async def _find_programs(self) -> Xtables:
        if self._programs is None:
            self._programs = await find_xtables()
            log.info("Services go through %s %s", self._programs.name, ".".join(map(str, self._programs.version)))
        return self._programs


_REFUSALS = frozenset({NO_ENDPOINTS.name, NO_ENDPOINTS_NODE_PORTS.name})


def _replacement(saved: str, table: TableName, tables: IptablesTables) -> str:
    return render_replacement(parse_save(saved), table, tables.chains(table))


def _stands(saved: str, table: TableName, tables: IptablesTables) -> bool:
    return stands(parse_save(saved), table, tables.chains(table))


def _counts() -> bytes:
    """Return the number and size of the rules of both tables; empty where the kernel does not tell."""
    found = b""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW) as raw:
            for table in TABLES:
                found += _table_info(raw.fileno(), table)[COUNTS_OFFSET:]
    except OSError:
        return b""
    return found


def _table_info(descriptor: int, table: str) -> bytes:
    # Not socket.getsockopt: the kernel reads the table's name from the buffer that it answers into.
    info = ctypes.create_string_buffer(table.encode(), IPT_GETINFO_BYTES)
    length = ctypes.c_uint32(IPT_GETINFO_BYTES)
    if _LIBC.getsockopt(descriptor, socket.SOL_IP, IPT_SO_GET_INFO, info, ctypes.byref(length)) != 0:
        raise OSError(ctypes.get_errno(), f"IPT_SO_GET_INFO of table {table}")
    return info.raw
