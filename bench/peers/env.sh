# Sourced by the scripts here: HERE holds the sources, PEERS_HOME (the current folder from then on) what is built and measured.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PEERS_HOME=${PEERS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/accelerate-peers}
mkdir -p "$PEERS_HOME"/{bin,models,data,npm,nuget,libtorch}
cd "$PEERS_HOME"
# Without these glibc gives big tensors back to the kernel after every call, and some rows are five times slower.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864
