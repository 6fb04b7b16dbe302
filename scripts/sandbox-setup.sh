#!/bin/sh
# Makes the image that docker or podman run commands in: the same as `openclaw sandbox build`, whose options it takes.
exec "$(dirname -- "$0")/../bin/openclaw.cjs" sandbox build "$@"
