"""agent: the composition root, the one room that knows every other; it wires real parts and decides nothing.

`server.py` nests what a master and its node are made of (the nesting is the start order and, reversed, the stop
order), `node.py` holds the node's part, `commands.py` what the other commands of `minikube-py` need.
"""
