"""network.io: netlink, namespaces and sysctls."""
