from minikube_py.kit.peer_subject import PeerSubject, subject_of


def test_the_subject_is_read_from_what_ssl_gives():
    peer = {"subject": ((("organizationName", "system:masters"),), (("commonName", "admin"),))}

    assert subject_of(peer) == PeerSubject("admin", ("system:masters",))
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert subject_of(peer, b"abc") == PeerSubject("admin", ("system:masters",), digest)
    assert subject_of(None) is None
    assert subject_of({}) is None
