"""The libraries that CPython's modules need, built static: nothing of the host's is looked for at run time.

And one that is not: see `build_guards`.
"""

from pathlib import Path

from tools.onefile.steps import Steps

FLAGS = "-O2 -fPIC"

FFI_SOURCES = (
    "prep_cif.c", "types.c", "raw_api.c", "java_raw_api.c", "closures.c", "tramp.c",
    "x86/ffi64.c", "x86/unix64.S", "x86/ffiw64.c", "x86/win64.S",
)  # fmt: skip
FFI_CONFIG = """
#define STDC_HEADERS 1
#define EH_FRAME_FLAGS "a"
#define FFI_EXEC_STATIC_TRAMP 1
#define HAVE_ALLOCA 1
#define HAVE_ALLOCA_H 1
#define HAVE_AS_CFI_PSEUDO_OP 1
#define HAVE_AS_X86_64_UNWIND_SECTION_TYPE 1
#define HAVE_AS_X86_PCREL 1
#define HAVE_HIDDEN_VISIBILITY_ATTRIBUTE 1
#define HAVE_LONG_DOUBLE 1
#define HAVE_MEMCPY 1
#define HAVE_MKOSTEMP 1
#define HAVE_MMAP 1
#define HAVE_MMAP_ANON 1
#define HAVE_MMAP_FILE 1
#define HAVE_RO_EH_FRAME 1
#define SIZEOF_DOUBLE 8
#define SIZEOF_LONG_DOUBLE 16
#define SIZEOF_SIZE_T 8
#ifdef LIBFFI_ASM
#define FFI_HIDDEN(name) .hidden name
#else
#define FFI_HIDDEN __attribute__((visibility("hidden")))
#endif
"""
"""What configure finds on x86_64; Debian's archive has none, and autotools are more to ask of a host than this."""
FFI_HEADER = {
    "TARGET": "X86_64",
    "HAVE_LONG_DOUBLE": "1",
    "FFI_EXEC_TRAMPOLINE_TABLE": "0",
}

GUARDS = "libminikube-guards.so"
GUARDS_SOURCE = Path(__file__).with_name("guards.c")
GUARD_SYMBOLS = frozenset({"__cxa_guard_acquire", "__cxa_guard_release"})
GUARD_VERSION = "CXXABI_1.3"

OPENSSL_OPTIONS = (
    "no-shared", "no-module", "no-dso", "no-tests", "no-apps", "no-docs", "no-legacy", "no-engine", "no-uplink",
    # Neither TLS nor hashlib as the API server and its clients use them needs any of these: half of the build's time.
    "no-aria", "no-bf", "no-camellia", "no-cast", "no-cmp", "no-cms", "no-comp", "no-dtls", "no-gost", "no-idea",
    "no-md4", "no-mdc2", "no-ml-dsa", "no-ocb", "no-quic", "no-rc2", "no-rc4", "no-rfc3779", "no-rmd160", "no-seed",
    "no-siphash", "no-siv", "no-slh-dsa", "no-sm2", "no-sm3", "no-sm4", "no-srp", "no-srtp", "no-ssl-trace", "no-ts",
    "no-whirlpool",
)  # fmt: skip


def build_zlib(steps: Steps, tree: Path, prefix: Path) -> None:
    """Build zlib into `prefix`."""
    steps.run(["./configure", "--static", f"--prefix={prefix}"], cwd=tree, CFLAGS=FLAGS)
    steps.run(["make", "install"], cwd=tree)


def build_xz(steps: Steps, tree: Path, prefix: Path, stub_prefix: Path) -> None:
    """Build liblzma into `prefix`, and a copy that only decodes, for the stub, into `stub_prefix`."""
    programs = ("xz", "xzdec", "lzmadec", "lzmainfo", "lzma-links", "scripts", "doc", "nls", "shared")
    common = ["../configure", *(f"--disable-{name}" for name in programs)]
    decode_only = [
        "--host=x86_64-linux-musl",
        "--enable-threads=no",
        "--disable-encoders",
        "--enable-decoders=lzma1,lzma2",
    ]
    for folder, compiler, target, more in (
        ("build-lib", "mkcc", prefix, []),
        ("build-stub", "mkcc-static", stub_prefix, decode_only),
    ):
        (tree / folder).mkdir()
        steps.run([*common, f"--prefix={target}", *more], cwd=tree / folder, CC=compiler, CFLAGS=FLAGS)
        steps.run(["make", "-j2", "install"], cwd=tree / folder)


def build_ffi(steps: Steps, tree: Path, prefix: Path) -> None:
    """Build libffi into `prefix`."""
    include = prefix / "include"
    include.mkdir(parents=True, exist_ok=True)
    header = (tree / "include/ffi.h.in").read_text()
    for name, value in FFI_HEADER.items():
        header = header.replace(f"@{name}@", value)
    (include / "ffi.h").write_text(header)
    (include / "ffitarget.h").write_text((tree / "src/x86/ffitarget.h").read_text())
    (tree / "fficonfig.h").write_text(FFI_CONFIG)
    places = [f"-I{include}", f"-I{tree}", f"-I{tree}/include", f"-I{tree}/src"]
    for name in FFI_SOURCES:
        compile_one = ["mkcc", *FLAGS.split(), "-DHAVE_CONFIG_H", *places, "-c", f"src/{name}", "-o"]
        steps.run([*compile_one, f"{name.replace('/', '-')}.o"], cwd=tree)
    (prefix / "lib").mkdir(exist_ok=True)
    steps.run(["mkar", "rcs", prefix / "lib/libffi.a", *sorted(tree.glob("*.o"))], cwd=tree)


def build_openssl(steps: Steps, tree: Path, prefix: Path, jobs: int) -> None:
    """Build OpenSSL's two libraries into `prefix`."""
    where = [f"--prefix={prefix}", "--libdir=lib", "--openssldir=/etc/ssl"]
    steps.run(["./Configure", "linux-x86_64", *where, *OPENSSL_OPTIONS, *FLAGS.split()], cwd=tree)
    steps.run(["make", f"-j{jobs}", "build_libs"], cwd=tree)
    steps.run(["make", "install_dev"], cwd=tree)


def build_guards(steps: Steps, folder: Path) -> None:
    """Build the library that `cxx_library.py` puts in place of the C++ library's two functions."""
    folder.mkdir(parents=True)
    versions = folder / "versions.map"
    versions.write_text(f"{GUARD_VERSION} {{ global: {'; '.join(sorted(GUARD_SYMBOLS))}; local: *; }};\n")
    link = ["-shared", f"-Wl,--version-script={versions}", f"-Wl,-soname,{GUARDS}", "-o", GUARDS]
    steps.run(["mkcc", "-O2", "-s", "-fPIC", GUARDS_SOURCE, *link], cwd=folder)
