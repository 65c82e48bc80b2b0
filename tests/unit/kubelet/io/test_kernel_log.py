from minikube_py.kubelet.io.kernel_log import KernelLog

ID = "84ceb120" * 8


async def test_a_kill_is_found_among_the_other_lines(tmp_path):
    log = tmp_path / "kmsg"
    log.write_text(
        f"6,1,1,-;eth0: up\n6,2,2,-;oom-kill:task_memcg=/kubepods/podu/{ID},task=x\n" + "6,3,3,-;x\n" * 2000
    )

    assert await KernelLog(log).tells_oom_kill(ID)
    assert not await KernelLog(log).tells_oom_kill(ID[::-1])


async def test_a_host_that_does_not_show_its_log_tells_nothing(tmp_path):
    assert not await KernelLog(tmp_path / "none").tells_oom_kill(ID)
