from minikube_py.testing.vm.virtual_host import listening_port

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
OTHERS = "   0: 0100007F:961D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0\n"
OURS = "   1: 0100007F:8A67 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0\n"
OPEN = "   2: 0100007F:8A66 0100007F:DC8C 01 00000000:00000000 02:0000018D 00000000     0        0 43 2 0\n"
FILES = ("/dev/null", "socket:[43]", "socket:[42]")


def test_the_port_is_that_of_the_processs_own_listening_socket():
    assert listening_port(HEAD + OTHERS + OPEN + OURS, FILES) == 0x8A67


def test_a_process_that_does_not_listen_has_no_port():
    assert listening_port(HEAD + OTHERS + OPEN, FILES) is None
