#!/bin/sh
# numba reads compiled kernels only from where it may also write, and the root filesystem is read-only.
kernels=$(dirname "$(dirname "$(dirname "$0")")")/kernels
[ -d "$NUMBA_CACHE_DIR" ] || cp -r "$kernels" "$NUMBA_CACHE_DIR" || echo "no place for kernels: NumPy scores at first" >&2
exec colibri "$@"
