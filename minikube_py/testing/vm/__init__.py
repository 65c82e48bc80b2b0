"""A virtual machine with a kernel of its own: for what this machine's kernel lacks or forbids.

It has cgroup version 2, NFS and every capability, whatever runs here; it is emulated, so it needs no rights and is
some ten times slower than this machine. Its disk is this machine's, seen through virtio-fs, with a layer on top that
takes every write. Only a kernel and a few programs come from packages, which are unpacked and never installed.
"""
