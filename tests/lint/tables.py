# SPDX-License-Identifier: Apache-2.0
"""What the lint enforces, as data: the include table, the homes of libraries, budgets, words."""

import re

# Budgets of STYLE "Habits".
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 500
MAX_PARAMETERS = 6
MAX_NESTING = 3

# With <sys/types.h>, for the names of types alone.
C_STANDARD = set(
    """assert.h ctype.h errno.h float.h inttypes.h iso646.h limits.h math.h setjmp.h signal.h
    stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h
    string.h time.h sys/types.h""".split()
)
CXX_STANDARD = set(
    """algorithm array cstddef cstdint cstdlib cstring exception functional iterator limits map
    memory new optional set sstream stdexcept string string_view type_traits utility variant
    vector""".split()
)
# Of the standard, what reaches for the clock, errno or streams. <stdio.h> is let in for
# snprintf alone; PURE_FORBIDDEN below holds that line.
PURE_STANDARD = C_STANDARD - {"errno.h", "setjmp.h", "signal.h", "sys/types.h", "time.h"}

# Words that pure code may not use: streams, descriptors, clock, environment, errno.
PURE_FORBIDDEN = re.compile(
    r"\b(FILE|stdin|stdout|stderr|errno|environ)\b|"
    r"\b(fopen|fdopen|fclose|fread|fwrite|fgets|fputs|puts|putchar|printf|fprintf|vprintf|"
    r"vfprintf|dprintf|perror|getenv|secure_getenv|setenv|time|clock|clock_gettime|gettimeofday|"
    r"open|openat|close|pipe|socket|fork|mmap)\s*\("
)

# A file belongs to the first layer whose pattern matches its path.
LAYERS = [
    ("tests", r"tests/"),
    ("base", r"platform/base/"),
    ("platform.h", r"platform/(platform|host|loop|service|redact|caller)\.h$"),
    ("ipc.h", r"platform/(ipc|link|siblings|signals)\.h$"),
    ("plan", r"platform/(plan|plan_[a-z0-9_]*|[a-z]+/plan_[a-z0-9_]*|windows/s(id|d|d_[a-z]+))\.[ch]$"),
    ("os", r"platform/"),
    ("policy", r"policy/"),
    ("proto", r"proto/"),
    ("broker", r"broker/"),
    ("fetch", r"fetch/"),
    ("public", r"client/include/"),
    ("tool", r"client/policy/"),
    ("client", r"client/"),
    ("packaging", r"packaging/"),
]

# DESIGN section 4. layer -> (layers whose headers it may include, system headers it may
# include: "pure", "standard" or "any"). A library is always let in where it has its home.
# A plan also sees the fixed-layout headers next to it ("os"), but the closure of what it
# includes must stay pure: see CLOSED_LAYERS.
INCLUDE_TABLE = {
    "base": ({"base"}, "standard"),
    "policy": ({"policy", "base"}, "pure"),
    "proto": ({"proto", "base"}, "pure"),
    "platform.h": ({"platform.h", "ipc.h", "plan", "base", "policy"}, "standard"),
    "ipc.h": ({"ipc.h", "base"}, "standard"),
    "plan": ({"plan", "os", "platform.h", "base", "policy"}, "pure"),
    "os": ({"os", "plan", "platform.h", "ipc.h", "base", "policy"}, "any"),
    "broker": ({"broker", "proto", "policy", "base", "platform.h", "ipc.h"}, "standard"),
    # cordon-fetch is a process of its own that nobody includes: it has the network, and shares with
    # root's side only the readers of fetch.toml and of signed documents.
    "fetch": ({"fetch", "policy", "base", "platform.h"}, "any"),
    # cordon-policy reads what a worker would and asks this host what it can do.
    "tool": ({"tool", "client", "public", "base", "policy", "platform.h", "ipc.h"}, "any"),
    "client": ({"client", "public", "proto", "base", "ipc.h", "policy"}, "any"),
    "public": ({"public"}, "standard"),
    "tests": (None, "any"),
    "packaging": (set(), "standard"),
}
# No header with a system call in it may be reached from these, through whatever headers.
CLOSED_LAYERS = {"base", "policy", "proto", "plan", "broker"}

# Layers that are pure code: PURE_FORBIDDEN applies to their sources.
PURE_LAYERS = {"policy", "proto", "plan"}

# One home per library: (library, the header as included, where it may be, how many files).
LIBRARY_HOMES = [
    ("libevent", r"(event2/.*|event\.h|evutil\.h)", r"broker/loop\.c", 1),
    ("protobuf-c", r"(protobuf-c/.*|.*\.pb-c\.h)", r"proto/codec\.c", 1),
    ("cJSON", r"(cjson/)?cJSON\.h", r"(policy|client|broker|proto|fetch)/json_?[a-z]*\.c", 2),
    ("toml++", r"toml(\+\+|plusplus)/.*|toml\+\+\.h(pp)?|toml\.hpp", r"policy/toml\.cpp", 1),
    ("libseccomp", r"seccomp\.h", r"platform/linux/seccomp\.c", 1),
    ("libsystemd", r"systemd/.*", r"platform/linux/service\.c", 1),
    ("libsodium", r"sodium(/.*|\.h)", r"policy/sodium\.c", 1),
    ("libcurl", r"curl/.*", r"fetch/http\.c", 1),
    ("libbpf", r"bpf/.*", r"platform/linux/(bpf[a-z_]*\.c|bpf/.*)", 9),
]

# Preprocessor conditions that ask which operating system this is.
OS_CONDITION = re.compile(
    r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b("
    r"__linux__|__linux|linux|__APPLE__|__MACH__|_WIN32|_WIN64|__MINGW32__|__CYGWIN__|__unix__|"
    r"__FreeBSD__|__OpenBSD__|__NetBSD__|__ANDROID__|TARGET_OS_\w+)\b"
)

# Words that say a thing is not finished. Spelled apart, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
UNFINISHED_COMMENT = re.compile(r"\bstu" r"b(bed|s)?\b", re.IGNORECASE)

# Places of one particular machine, and hosts: a URL in the tree names one of these or fails.
MACHINE_PATH = re.compile(r"(?<![\w.*/-])/(wo" r"rk|fa" r"rm)/[\w.]")
URL = re.compile(r"\b(?:https?|ftp|git|ssh)://(?:[^\s/@\"']*@)?([A-Za-z0-9.-]+)")
URL_HOSTS = re.compile(
    r"(?:^|\.)(example\.(com|org|net)|[a-z0-9-]+\.example|localhost|127\.0\.0\.1|apache\.org|"
    r"json-schema\.org|schemas\.microsoft\.com|spdx\.org|freedesktop\.org|oasis-open\.org|www\.debian\.org|www\.w3\.org)$"
)

# "DIR/FILE: NAME": what holds the place of a row, in a table of what only another system can show.
NAMED_TEST = re.compile(r"\b((?:unit|golden|wine)/\w+): ([a-z]\w{5,})\b")

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = (".c", ".h", ".cpp", ".hpp", ".py", ".sh", ".bash", ".fish", ".cmake", ".proto",
                 ".mjs", ".js", ".awk")
C_SUFFIXES = (".c", ".h", ".cpp", ".hpp")
