"""The folder that is packed."""

import zipfile

from tools.onefile.tree import PROGRAM, make_base, make_program


def _put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def _names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_base_has_what_runs_and_no_more(tmp_path):
    python = tmp_path / "python"
    _put(
        python,
        "bin/python3.13",
        "lib/libpython3.13.a",
        "lib/python3.13/os.py",
        "lib/python3.13/idlelib/run.py",
        "lib/python3.13/json/__init__.py",
        "lib/python3.13/json/__pycache__/x.pyc",
        "lib/python3.13/lib-dynload/_ssl.so",
        "lib/python3.13/lib-dynload/_testcapi.so",
        "lib/python3.13/config-3.13/libpython3.13.a",
    )
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("a/__init__.py", "a/fast.pyx", "a/fast.so", "a/tests/test_a.py", "a-1.dist-info/METADATA"):
            archive.writestr(name, name)
    target = tmp_path / "base"
    make_base(python, [wheel], target)
    assert _names(target) == [
        PROGRAM,
        "lib/python3.13/json/__init__.py",
        "lib/python3.13/lib-dynload/_ssl.so",
        "lib/python3.13/os.py",
        "lib/python3.13/site-packages/a-1.dist-info/METADATA",
        "lib/python3.13/site-packages/a/__init__.py",
        "lib/python3.13/site-packages/a/fast.so",
        "lib/python3.13/sqlite3.py",
    ]


def test_program_has_its_data_and_its_version_and_not_the_tests_part(tmp_path):
    _put(
        tmp_path,
        "minikube_py/__init__.py",
        "minikube_py/api/data/schema.json.gz",
        "minikube_py/api/__pycache__/x.pyc",
        "minikube_py/testing/lab/lab.py",
    )
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "minikube-py"\nversion = "1.2.3"\n')
    target = tmp_path / "program"
    make_program(tmp_path, target)
    packages = target / "lib/python3.13/site-packages"
    assert _names(packages) == [
        "minikube_py-1.2.3.dist-info/METADATA",
        "minikube_py/__init__.py",
        "minikube_py/api/data/schema.json.gz",
    ]
    assert "Version: 1.2.3" in (packages / "minikube_py-1.2.3.dist-info/METADATA").read_text()
