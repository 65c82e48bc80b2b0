import socket

from minikube_py.doctor.io.survey import survey_host, survey_tunnel


async def test_this_host_is_seen_as_it_is(tmp_path):
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        port = server.getsockname()[1]

        facts = await survey_host(tmp_path / "not" / "there", {port: "test"}, agent_runs=False)

    assert [(p.number, p.taken) for p in facts.ports] == [(port, True)]
    assert facts.data_dir_fault == ""
    assert facts.disk_free_bytes > 0
    assert facts.newest_data_s == 0


async def test_a_data_folder_below_a_file_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")

    facts = await survey_host(tmp_path / "file" / "data", {}, agent_runs=False)

    assert "is not a folder" in facts.data_dir_fault


async def test_the_newest_file_of_the_store_is_found(tmp_path):
    folder = tmp_path / "server" / "store"
    folder.mkdir(parents=True)
    (folder / "log").write_text("x")

    facts = await survey_host(tmp_path, {}, agent_runs=False)

    assert facts.newest_data_s == (folder / "log").stat().st_mtime


def test_a_udp_port_that_somebody_has_is_seen():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("0.0.0.0", 0))
        port = server.getsockname()[1]
        taken = survey_tunnel("auto", port)

    assert (taken.mode, taken.port, taken.port_taken) == ("auto", port, True)
    assert not survey_tunnel("auto", port).port_taken
