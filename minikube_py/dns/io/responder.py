"""One query in, one response out: the zone first, upstreams for the rest (used by the UDP and the TCP server)."""

import logging
from collections.abc import Callable

from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.forwarder import Forwarder, UpstreamError
from minikube_py.dns.records import Reply
from minikube_py.dns.wire import (
    TCP_BYTES_MAX,
    Query,
    answer_records,
    parse_query,
    render_failure,
    render_format_error,
    render_question,
    render_reply,
)
from minikube_py.dns.zone import ClusterView, is_cluster_name, resolve

log = logging.getLogger("dns")


class Responder:
    """Answers queries; until `is_synced` the cluster's own names get SERVFAIL, for a wrong NXDOMAIN would stick."""

    def __init__(self, config: DnsConfig, view: ClusterView, forwarder: Forwarder, new_id: Callable[[], int]) -> None:
        self._config = config
        self._view = view
        self._forwarder = forwarder
        self._new_id = new_id
        self.is_synced = False

    def answer_nowait(self, data: bytes, *, over_tcp: bool) -> bytes | Query | None:
        """Return the response when it needs no waiting, the query when it does, None for no response at all."""
        query = parse_query(data)
        if query is None:
            return render_format_error(data)
        if not self.is_synced:
            return render_failure(query, "SERVFAIL") if is_cluster_name(query.question.name, self._config) else query
        reply = resolve(query.question, self._view, self._config)
        if reply is None or reply.chase:
            return query
        return render_reply(query, reply, TCP_BYTES_MAX if over_tcp else query.udp_bytes)

    async def answer(self, query: Query, *, over_tcp: bool) -> bytes:
        """Return the response to a query that an upstream has to be asked for."""
        reply = resolve(query.question, self._view, self._config) if self.is_synced else None
        try:
            if reply is None:
                return await self._forwarder.ask(query, over_tcp=over_tcp)
            return await self._chase(query, reply, over_tcp=over_tcp)
        except UpstreamError as error:
            log.debug("query for %s %s: %s", query.question.name, query.question.type, error)
            return render_failure(query, "SERVFAIL")

    async def _chase(self, query: Query, reply: Reply, *, over_tcp: bool) -> bytes:
        """Add what an upstream knows of an ExternalName's target: stub resolvers do not ask for it themselves."""
        further = parse_query(render_question(reply.chase, query.question.type, self._new_id()))
        assert further is not None
        response = await self._forwarder.ask(further, over_tcp=over_tcp)
        limit = TCP_BYTES_MAX if over_tcp else query.udp_bytes
        return render_reply(query, reply, limit, answer_records(response))
