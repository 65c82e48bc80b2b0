"""The house rules that no linter knows, checked over the syntax trees of the product."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "minikube_py"
MODULES = sorted(PACKAGE.rglob("*.py"))
ALL_MODULES = MODULES + sorted((ROOT / "tools").rglob("*.py"))
"""With those that are not shipped: they may do as they like, but are read by the same people."""
ROOMS = sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists())
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc"}
NOT_OURS = {".git", ".venv", "__pycache__", "build", ".hypothesis", ".pytest_cache"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _ids(paths):
    return [str(p.relative_to(ROOT)) for p in paths]


def _in_io(path: Path) -> bool:
    return "io" in path.relative_to(PACKAGE).parts


def _io_allowed(path: Path) -> bool:
    top = path.relative_to(PACKAGE).parts[0]
    return _in_io(path) or top in ("cli", "testing", "agent", "__main__.py")


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_module_opens_with_why(path):
    assert ast.get_docstring(_tree(path)), "the module has no docstring"


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_module_and_functions_fit_the_reader(path):
    tree = _tree(path)
    assert len(path.read_text().splitlines()) <= LINES_MAX
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_module_name_says_what_is_in_it(path):
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_only_io_awaits(path):
    if _io_allowed(path):
        return
    tree = _tree(path)
    protocols = {
        method
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and node not in protocols:
            pytest.fail(f"{node.name} is async outside io/")


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_no_exception_is_swallowed_wholesale(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            assert caught not in ("", "Exception", "BaseException") or any(
                isinstance(inner, ast.Raise) for inner in ast.walk(node)
            ), f"line {node.lineno} catches everything"


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_queues_are_bounded(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.Queue", "Queue", "queue.Queue"):
            assert node.args or node.keywords, f"line {node.lineno} makes an unbounded queue"


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_values_are_frozen_outside_io(path):
    if _io_allowed(path):
        return
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            text = ast.unparse(decorator)
            if text.startswith("dataclass"):
                assert "frozen=True" in text, f"{node.name} is a mutable dataclass"


@pytest.mark.parametrize("room", ROOMS)
def test_architecture_names_every_room(room):
    assert f"`{room}/`" in (ROOT / "ARCHITECTURE.md").read_text()


RULE_MODULES = [p for p in MODULES if not _io_allowed(p) and p.name != "__init__.py" and "columns" not in p.parts]


def _only_declares(path: Path) -> bool:
    """Whether a module has no behaviour to test: Protocols, dataclasses without methods, constants."""
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef):
            return False
        if isinstance(node, ast.ClassDef) and not any("Protocol" in ast.unparse(b) for b in node.bases):
            methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
            if methods:
                return False
    return True


@pytest.mark.parametrize("path", RULE_MODULES, ids=_ids(RULE_MODULES))
def test_unit_test_mirrors_module(path):
    if _only_declares(path):
        return
    relative = path.relative_to(PACKAGE)
    mirror = ROOT / "tests/unit" / relative.parent / f"test_{relative.name}"
    assert mirror.exists(), f"{mirror.relative_to(ROOT)} is missing"


def test_no_registry_host_or_machine_path_is_named():
    # Spelled in pieces, so that this file does not trip over itself.
    words = ["pypi" + ".org", "/wo" + "rk/", "/opt/mk" + "py", "registry.npm" + "js", "docker" + ".io/"]
    for path in ROOT.rglob("*"):
        if path.suffix not in (".py", ".md", ".toml", ".yaml", ".service", ".sh", "") or not path.is_file():
            continue
        if NOT_OURS & set(path.relative_to(ROOT).parts):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for word in words:
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"
