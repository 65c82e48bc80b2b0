"""Custom resources: what a CustomResourceDefinition says, as rows of the resource table with rules of their own.

May import the rest of `api`. Upstream: apiextensions-apiserver.
"""
