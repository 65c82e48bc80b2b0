from minikube_py.apiserver.health import HealthAnswer, answer_check, answer_health


def _fine():
    return ""


def _broken():
    return "no disk"


def test_all_well_is_ok():
    assert answer_health("readyz", {"ping": _fine}, verbose=False, exclude=()) == HealthAnswer(200, "ok")


def test_verbose_lists_each_check():
    answer = answer_health("readyz", {"ping": _fine, "store": _fine}, verbose=True, exclude=())
    assert answer.text == "[+]ping ok\n[+]store ok\nreadyz check passed\n"


def test_a_failing_check_fails_the_endpoint_and_keeps_the_reason_for_the_log():
    answer = answer_health("livez", {"ping": _fine, "store": _broken}, verbose=False, exclude=())
    assert answer == HealthAnswer(
        500, "[+]ping ok\n[-]store failed: reason withheld\nlivez check failed\n", ("store: no disk",)
    )


def test_a_check_can_be_left_out():
    answer = answer_health("readyz", {"store": _broken}, verbose=True, exclude=("store", "nope"))
    assert answer.status == 200
    assert answer.text == (
        '[+]store excluded: ok\nwarn: some health checks cannot be excluded: no matches for "nope"\n'
        "readyz check passed\n"
    )


def test_a_checks_own_path_answers_for_it_alone():
    assert answer_check("ping", _fine) == HealthAnswer(200, "ok")
    assert answer_check("store", _broken).status == 500
