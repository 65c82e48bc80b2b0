from minikube_py.apiserver.audit_rotation import Rotation, backup_name, outdated

DAY_S = 86400
NAMES = [backup_name("audit.log", day * DAY_S + 0.25) for day in range(5)]


def test_a_full_file_is_called_after_the_time():
    assert backup_name("audit.log", 0.123) == "audit-1970-01-01T00-00-00.123.log"
    assert backup_name("audit", 0.5) == "audit-1970-01-01T00-00-00.500"


def test_a_file_is_full_when_more_does_not_fit():
    assert not Rotation().is_due(99 << 20, 1 << 20)
    assert Rotation().is_due(100 << 20, 1)
    assert not Rotation(1).is_due(0, 5 << 20)
    assert Rotation(1).is_due(1, 1 << 20)


def test_old_files_go_by_number_and_by_age():
    there = ["audit.log", "audit-x.log", "other-1970-01-01T00-00-00.250.log", *NAMES]
    now_s = 4 * DAY_S
    assert outdated("audit.log", there, Rotation(), now_s) == ()
    assert outdated("audit.log", there, Rotation(backups_max=2), now_s) == tuple(NAMES[:3])
    assert outdated("audit.log", there, Rotation(age_days_max=3), now_s) == (NAMES[0],)
    assert outdated("audit.log", there, Rotation(age_days_max=3, backups_max=3), now_s) == tuple(NAMES[:2])
