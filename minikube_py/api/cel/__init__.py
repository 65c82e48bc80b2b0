"""The Common Expression Language with Kubernetes' functions: for rules of schemas, policies and match conditions.

An engine of its own, because the libraries that there are do not fit (docs/decisions): one needs a newer C library
than CentOS 7 has and ends the process with an old protobuf, the other knows a quarter of what Kubernetes' rules use.
This one counts what an evaluation costs, so that no expression holds the event loop.

Entry: `expressions.compile_expression`. May import `api.quantity`, `api.names` and the standard library.
Specification: github.com/google/cel-spec; upstream: cel-go and apiserver cel/library.
"""
