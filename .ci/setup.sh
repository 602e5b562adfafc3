# In: this machine. Out: shell functions that find or install what building and testing need. Sourced, never run.
# ACC_NO_INSTALL=1 installs nothing. Nothing here reads standard input.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Nothing here depends on a culture, and without this dotnet refuses to start where no ICU is installed.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
# dotnet and NuGet keep their caches below HOME and refuse to start without one.
if [ -z "${HOME:-}" ] || [ ! -d "${HOME:-}" ]; then
    HOME="$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)"
    if [ -z "$HOME" ] || [ ! -w "$HOME" ]; then
        HOME="${TMPDIR:-/tmp}/accelerate-home-$(id -u)"
        mkdir -p -m 700 "$HOME"
    fi
    export HOME
fi

say() { echo "$(basename "$0"): $*" >&2; }

# The SDK, version 10 or newer.
need_dotnet() {
    if ! command -v dotnet >/dev/null 2>&1; then
        for place in /usr/share/dotnet /usr/lib/dotnet "$HOME/.dotnet"; do
            if [ -x "$place/dotnet" ]; then PATH="$place:$PATH"; export PATH; break; fi
        done
    fi
    if ! command -v dotnet >/dev/null 2>&1; then
        say "dotnet was not found. Install the .NET SDK 10: https://dotnet.microsoft.com/download"
        return 1
    fi
    if ! dotnet --list-sdks </dev/null 2>/dev/null | grep -qE '^(1[0-9]|[2-9][0-9])\.'; then
        say "the .NET SDK 10 is needed; dotnet has: $(dotnet --list-sdks </dev/null 2>/dev/null | cut -d' ' -f1 | tr '\n' ' ')"
        return 1
    fi
}

# Runs as root: directly, or through a sudo that asks for no password. Fails where neither is possible.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true </dev/null 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

can_install() {
    [ "${ACC_NO_INSTALL:-}" != 1 ] && command -v apt-get >/dev/null 2>&1 && as_root true
}

# install WHAT-FOR PACKAGE…: says what it does; the reason when it does not work. Package lists are fetched only when a
# package is not in those that are there.
install() {
    local purpose="$1" log package
    shift
    if ! can_install; then
        say "$purpose is missing and cannot be installed from here; run: apt-get install $*"
        return 1
    fi
    say "installing $* ($purpose)"
    log="$(mktemp)" || return 1
    for package in "$@"; do
        case "$(apt-cache policy "$package" 2>/dev/null)" in
            *"Candidate: (none)"* | "") as_root apt-get update -q </dev/null >"$log" 2>&1; break ;;
        esac
    done
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >>"$log" 2>&1 ||
        { as_root apt-get update -q </dev/null >>"$log" 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >>"$log" 2>&1; }
    then
        rm -f "$log"
        return 0
    fi
    grep -E '^E:' "$log" >&2 || tail -n 3 "$log" >&2
    rm -f "$log"
    say "$* could not be installed: $purpose stays missing"
    return 1
}

# has_library NAME…: one of the file names is on the loader's path.
has_library() {
    local list name
    list="$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null)"
    for name in "$@"; do case "$list" in *"$name"*) return 0 ;; esac; done
    return 1
}

# What the SDK itself needs to restore packages: OpenSSL and the certificates of the package source. A bare root has neither.
need_tls() {
    local missing=()
    has_library libssl.so || missing+=(libssl3)
    [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -n "${SSL_CERT_FILE:-}" ] || missing+=(ca-certificates)
    [ "${#missing[@]}" = 0 ] || install "TLS, by which dotnet restores packages" "${missing[@]}" || return 0
}

# libLLVM 19 or newer. Without it the interpreter still runs, so a failure is a message and no error.
need_llvm() {
    local major
    [ -n "${ACC_LLVM_PATH:-}" ] && return 0
    has_library libLLVM-19.so.1 libLLVM.so.19 libLLVM.so.20 libLLVM.so.21 libLLVM.so.22 && return 0
    for major in 19 20 21 22; do
        for file in "/usr/lib/llvm-$major/lib/libLLVM.so.1" "/usr/lib/llvm-$major/lib/libLLVM.so"; do
            [ -e "$file" ] && return 0
        done
    done
    install "libLLVM 19, the machine-code backend" libllvm19 ||
        say "going on without it: --backend interpreter works, LLVM tests are skipped"
    return 0
}

# An OpenCL loader and a device of the CPU; optional.
need_opencl() {
    has_library libOpenCL.so.1 && ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 && return 0
    install "an OpenCL device, optional" pocl-opencl-icd ocl-icd-libopencl1 || say "OpenCL tests are skipped"
    return 0
}

# numpy for the interpreter that the tests start; optional.
need_numpy() {
    /usr/bin/python3 -c 'import numpy' </dev/null >/dev/null 2>&1 && return 0
    install "numpy, against which data files are tested, optional" python3-numpy || say "tests against numpy are skipped"
    return 0
}
