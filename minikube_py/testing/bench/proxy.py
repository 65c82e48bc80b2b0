"""What a sync of the proxy costs in nftables and in iptables mode: everything at once, and one changed Service.

CPU time of this process and its children, kernel's part included, on a host (network namespace) of its own: wall time
would tell how busy the machine is. Both modes get the same transactions, in turns.
"""

import asyncio
import resource
from collections.abc import Awaitable
from functools import partial

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import Endpoint
from minikube_py.proxy.io.back_ends import BackEnd, Mode, make_back_end
from minikube_py.proxy.programs import CompileFacts, compile_service
from minikube_py.proxy.ruleset_diff import TableState
from minikube_py.proxy.service_map import ServicePort
from minikube_py.proxy.topology import NodeFacts
from minikube_py.testing.bench.report import Row
from minikube_py.testing.netns import run_on_fresh_host

Figures = tuple[float, list[float], float]
"""Milliseconds of CPU: all at once, each change of one Service, a look."""
SIZES = (0, 1000, 5000)
MODES: tuple[Mode, ...] = ("nftables", "iptables")
ENDPOINTS = 3
CHANGES = 7
CONFIG = ProxyConfig("node-1", surplus_delay_s=0.0)
FACTS = CompileFacts(NodeFacts("node-1"), frozenset(CONFIG.node_local_vips))


def run() -> list[Row]:
    """Return the figures; takes about a minute."""
    rows: list[Row] = []
    for size in SIZES:
        found: dict[Mode, Figures] = {}
        for mode in MODES:
            run_on_fresh_host(partial(_measure_into, found, mode, size))
        for mode in MODES:
            full, changes, again = found[mode]
            others = found["nftables"]
            beside = "nftables" if mode == "iptables" else ""
            rows += [
                _row(f"{mode}, {size} Services: all at once", (full,), others[0], beside),
                _row(
                    f"{mode}, {size} Services: one changes", tuple(changes), sorted(others[1])[CHANGES // 2], beside
                ),
                _row(f"{mode}, {size} Services: a look at a right table", (again,), others[2], beside),
            ]
    return rows


def _row(name: str, tries: tuple[float, ...], other: float, beside: str) -> Row:
    ratio = sorted(tries)[len(tries) // 2] / other if beside and other else None
    return Row(name, "ms CPU", tries, beside, ratio)


async def _measure_into(found: dict[Mode, Figures], mode: Mode, size: int) -> None:
    found[mode] = await _measure(mode, size)


async def _measure(mode: Mode, size: int) -> Figures:
    back_end = make_back_end(mode, CONFIG)
    state = TableState(CONFIG.surplus_delay_s)
    state.observe(None)
    try:
        for number in range(size):
            _want(state, number, 0)
        full = await _cpu_ms(_sync(state, back_end))
        changes: list[float] = []
        for generation in range(1, CHANGES + 1):
            _want(state, size // 2, generation)
            changes.append(await _cpu_ms(_sync(state, back_end)))
        return full, changes, await _cpu_ms(_look(back_end))
    finally:
        back_end.close()


def _want(state: TableState, number: int, generation: int) -> None:
    port = ServicePort("default", f"s{number}", "p", "tcp", 80, (f"10.96.{number // 250}.{number % 250 + 1}",))
    endpoints = tuple(
        Endpoint(f"10.244.{number % 200}.{place + generation * ENDPOINTS}", 8080, True, True, False, False)
        for place in range(ENDPOINTS)
    )
    state.want(f"{number:06}", compile_service((port,), {"p": endpoints}, FACTS).elements)


async def _sync(state: TableState, back_end: BackEnd) -> None:
    transaction = state.plan(0.0)
    await back_end.apply(transaction)
    state.committed(transaction, 0.0)


async def _look(back_end: BackEnd) -> None:
    if await back_end.list_table() is None:
        raise RuntimeError("the table is not what was applied")


async def _cpu_ms(work: Awaitable[None]) -> float:
    before = _cpu_s()
    await work
    # Children count once they were waited for.
    await asyncio.sleep(0)
    return (_cpu_s() - before) * 1000


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
