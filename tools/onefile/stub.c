/* The program at the front of the one file: it unpacks the Python behind it once, and becomes it.
 *
 * Static, so that it can say what is missing on a host that lacks a C library. The unpacked runtime is
 * RUNTIMES/NAME, NAME being the hash of what is packed; RUNTIMES is /var/lib/minikube-py/runtime, or
 * MINIKUBE_PY_RUNTIME_DIR. A runtime appears by one rename, after it is on the disk: none is ever half there.
 *
 * RUNTIMES/.unpacking is locked by who unpacks: first starts at the same time unpack once. RUNTIMES/NAME/.in-use is
 * locked, shared, by every process that runs from NAME, until it ends: who unpacks another version removes the
 * runtimes that nobody holds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DEFAULT_RUNTIMES "/var/lib/minikube-py/runtime"
#define PROGRAM "bin/minikube-py"
#define NAME_LENGTH 16
#define PATH_BYTES 4096
#define BLOCK 512
#define INPUT_BYTES (256 * 1024)

static struct {
    int file;
    off_t start, end; /* of the payload in the file */
    char name[NAME_LENGTH + 1];
} self;

static char unpacking[PATH_BYTES]; /* the folder that is being filled; removed when that fails */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_tree(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("minikube-py: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    if (*unpacking) remove_tree(unpacking);
    exit(1);
}

static _Noreturn void fail_on(const char *what, const char *path) {
    const char *advice = "";
    if (errno == ENOSPC || errno == EDQUOT)
        advice = "; about 100 MB are needed: make room, or set MINIKUBE_PY_RUNTIME_DIR to a folder elsewhere";
    else if (errno == EROFS || errno == EACCES || errno == EPERM)
        advice = "; start it once as root, or set MINIKUBE_PY_RUNTIME_DIR to a folder that can be written";
    fail("cannot %s %s: %s%s", what, path, strerror(errno), advice);
}

static void path_of(char *into, const char *folder, const char *name) {
    if (snprintf(into, PATH_BYTES, "%s/%s", folder, name) >= PATH_BYTES) fail("the path %s is too long", folder);
}

/* --- the file ------------------------------------------------------------------------------------------------- */

static void open_self(void) {
    struct {
        char magic[8];
        uint64_t size;
        char name[NAME_LENGTH];
    } trailer;
    self.file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (self.file < 0) fail("cannot read itself by /proc/self/exe: %s; is /proc mounted?", strerror(errno));
    off_t size = lseek(self.file, 0, SEEK_END);
    self.end = size - (off_t)sizeof trailer;
    if (pread(self.file, &trailer, sizeof trailer, self.end) != sizeof trailer ||
        memcmp(trailer.magic, "MKPYFILE", 8) != 0 || trailer.size > (uint64_t)self.end)
        fail("this file is cut short: copy it again");
    self.start = self.end - (off_t)trailer.size;
    memcpy(self.name, trailer.name, NAME_LENGTH);
}

/* --- unpacking ------------------------------------------------------------------------------------------------ */

static lzma_stream decoder = LZMA_STREAM_INIT;

/* Fill `into` with the next bytes of the archives; 0 at their end. */
static size_t next_bytes(void *into, size_t size) {
    static uint8_t input[INPUT_BYTES];
    static lzma_action action = LZMA_RUN;
    decoder.next_out = into;
    decoder.avail_out = size;
    while (decoder.avail_out > 0) {
        if (decoder.avail_in == 0 && self.start < self.end) {
            size_t wanted = self.end - self.start < INPUT_BYTES ? (size_t)(self.end - self.start) : INPUT_BYTES;
            ssize_t got = pread(self.file, input, wanted, self.start);
            if (got <= 0) fail("cannot read the file: %s", got ? strerror(errno) : "it ends early: copy it again");
            self.start += got;
            decoder.next_in = input;
            decoder.avail_in = (size_t)got;
        }
        if (self.start == self.end) action = LZMA_FINISH;
        lzma_ret result = lzma_code(&decoder, action);
        if (result == LZMA_STREAM_END) break;
        if (result == LZMA_MEM_ERROR) fail("not enough memory to unpack: 40 MB are needed");
        if (result != LZMA_OK) fail("this file is damaged: copy it again");
    }
    return size - decoder.avail_out;
}

static void write_file(const char *path, mode_t mode, uint64_t size) {
    static char content[128 * BLOCK];
    int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (out < 0) fail_on("write", path);
    while (size > 0) {
        size_t part = size < sizeof content ? (size_t)size : sizeof content;
        size_t padded = (part + BLOCK - 1) / BLOCK * BLOCK;
        if (next_bytes(content, padded) != padded) fail("this file is damaged: copy it again");
        for (size_t done = 0; done < part;) {
            ssize_t wrote = write(out, content + done, part - done);
            if (wrote < 0) fail_on("write", path);
            done += (size_t)wrote;
        }
        size -= part;
    }
    if (fchmod(out, mode) != 0 || close(out) != 0) fail_on("write", path);
}

/* The archives are POSIX ustar, as tools/onefile/payload.py writes them: folders before what is in them. */
static void unpack_archives(const char *folder) {
    static char block[BLOCK];
    if (lzma_stream_decoder(&decoder, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK) fail("not enough memory to unpack");
    while (next_bytes(block, BLOCK) == BLOCK) {
        if (block[0] == 0) continue; /* the end of one archive */
        char name[300], path[PATH_BYTES], target[101];
        snprintf(name, sizeof name, "%.155s%s%.100s", block + 345, block[345] ? "/" : "", block);
        path_of(path, folder, name);
        mode_t mode = (mode_t)strtoul(block + 100, NULL, 8);
        switch (block[156]) {
        case '5':
            /* The archives have folders in common. */
            if (mkdir(path, mode) != 0 && errno != EEXIST) fail_on("make", path);
            break;
        case '2':
            snprintf(target, sizeof target, "%.100s", block + 157);
            if (symlink(target, path) != 0) fail_on("make", path);
            break;
        default:
            write_file(path, mode, strtoull(block + 124, NULL, 8));
        }
    }
    lzma_end(&decoder);
}

static void make_folders(const char *path) {
    char part[PATH_BYTES];
    for (const char *end = path; *end;) {
        end = strchrnul(end + 1, '/');
        snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            int why = errno;
            if (access(part, F_OK) == 0) continue; /* on a read-only mount, but there */
            errno = why;
            fail_on("make", part);
        }
    }
}

/* Remove what died half unpacked and the runtimes of other versions that no process runs from. */
static void remove_unused(const char *runtimes) {
    DIR *folder = opendir(runtimes);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[PATH_BYTES], held[PATH_BYTES];
        path_of(path, runtimes, entry->d_name);
        if (strncmp(entry->d_name, ".new-", 5) == 0) {
            remove_tree(path);
            continue;
        }
        if (strlen(entry->d_name) != NAME_LENGTH || strcmp(entry->d_name, self.name) == 0) continue;
        path_of(held, path, ".in-use");
        int lock = open(held, O_RDONLY | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
            /* Out of the way first: who starts from it now finds none, or all of it. */
            char aside[PATH_BYTES], name[NAME_LENGTH + 6];
            snprintf(name, sizeof name, ".new-%s", entry->d_name);
            path_of(aside, runtimes, name);
            if (rename(path, aside) == 0) remove_tree(aside);
        }
        if (lock >= 0) close(lock);
    }
    closedir(folder);
}

static void refuse_noexec(const char *runtimes) {
    struct statvfs facts;
    if (statvfs(runtimes, &facts) == 0 && facts.f_flag & ST_NOEXEC)
        fail("%s is on a mount with noexec: set MINIKUBE_PY_RUNTIME_DIR to a folder from which programs may run",
             runtimes);
}

static void unpack(const char *runtimes, const char *runtime) {
    char path[PATH_BYTES], mark_path[PATH_BYTES];
    mode_t before = umask(022); /* other users run it too */
    make_folders(runtimes);
    refuse_noexec(runtimes);
    path_of(path, runtimes, ".unpacking");
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) fail_on("write", path);
    path_of(mark_path, runtime, ".in-use");
    if (access(mark_path, F_OK) != 0) { /* else another process was faster */
        remove_unused(runtimes);
        path_of(path, runtimes, ".new-XXXXXX");
        if (!mkdtemp(path) || chmod(path, 0755) != 0) fail_on("write", path);
        strcpy(unpacking, path);
        unpack_archives(unpacking);
        path_of(path, unpacking, ".in-use");
        int mark = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
        /* On the disk before it has its name: after a power cut it is whole or not there. */
        if (mark < 0 || syncfs(mark) != 0 || close(mark) != 0 || rename(unpacking, runtime) != 0)
            fail_on("write", runtime);
        *unpacking = 0;
    }
    close(lock);
    umask(before);
}

/* --- starting ------------------------------------------------------------------------------------------------- */

/* Hold the runtime for as long as this process lives: the descriptor stays open in what it becomes. */
static int hold(const char *runtime) {
    char path[PATH_BYTES];
    struct stat named, held;
    path_of(path, runtime, ".in-use");
    int lock = open(path, O_RDONLY);
    if (lock < 0) return 0;
    if (flock(lock, LOCK_SH) == 0 && fstat(lock, &held) == 0 && stat(path, &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev)
        return 1;
    close(lock); /* it was removed meanwhile */
    return 0;
}

/* OpenSSL looks where Debian keeps the certificates that a host trusts; elsewhere it has to be told. */
static void find_certificates(void) {
    static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"};
    for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
        if (access(bundles[i], R_OK) == 0) {
            setenv("SSL_CERT_FILE", bundles[i], 0);
            return;
        }
}

int main(int count, char **given) {
    char runtime[PATH_BYTES], program[PATH_BYTES], file[PATH_BYTES] = "";
    const char *runtimes = getenv("MINIKUBE_PY_RUNTIME_DIR");
    if (!runtimes || !*runtimes) runtimes = DEFAULT_RUNTIMES;
    if (*runtimes != '/') fail("MINIKUBE_PY_RUNTIME_DIR is %s: an absolute path is needed", runtimes);
    open_self();
    path_of(runtime, runtimes, self.name);
    while (!hold(runtime)) unpack(runtimes, runtime);
    find_certificates();
    /* Where this file is: for the units that `install` writes. */
    if (readlink("/proc/self/exe", file, sizeof file - 1) > 0) setenv("MINIKUBE_PY_FILE", file, 1);

    path_of(program, runtime, PROGRAM);
    char **argv = calloc((size_t)count + 5, sizeof *argv);
    if (!argv) fail("not enough memory");
    char *const fixed[] = {program, "-I", "-B", "-m", "minikube_py"};
    memcpy(argv, fixed, sizeof fixed);
    if (count > 1) memcpy(argv + 5, given + 1, (size_t)(count - 1) * sizeof *argv);
    execv(program, argv);
    if (errno == EACCES) refuse_noexec(runtimes);
    if (errno == ENOENT && access(program, X_OK) == 0)
        fail("this host lacks the GNU C library (glibc 2.17 or later, 64 bit), which the program needs");
    fail("cannot start %s: %s", program, strerror(errno));
}
