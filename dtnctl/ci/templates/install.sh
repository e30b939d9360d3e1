if [ -n "${DTNCTL_PROGRAM:-}" ]; then
  bin=$(dirname "$DTNCTL_PROGRAM")
elif [ "$(dtnctl version 2>/dev/null)" = "dtnctl $DTNCTL_VERSION" ]; then
  bin=$(dirname "$(command -v dtnctl)") # the job's image has it
else
  place=${RUNNER_TOOL_CACHE:-$HOME/.cache}/dtnctl/$DTNCTL_VERSION-${DTNCTL_SHA256:-without-hash}
  bin=$place/bin
  mkdir -p "$place"
  exec 9>"$place.lock"
  flock 9 # jobs on one runner install it once
  if [ ! -e "$place/complete" ]; then
    python3 -m venv --clear "$place"
    echo "dtnctl==$DTNCTL_VERSION${DTNCTL_SHA256:+ --hash=sha256:$DTNCTL_SHA256}" >"$place/pin.txt"
    set -- install --quiet --disable-pip-version-check --no-input
    [ -z "${DTNCTL_WHEELS:-}" ] || set -- "$@" --no-index "--find-links=$DTNCTL_WHEELS"
    "$bin/python" -m pip "$@" --no-deps --requirement "$place/pin.txt"
    "$bin/python" -m pip "$@" --require-hashes --requirement "$("$bin/dtnctl-ci" requirements)"
    touch "$place/complete"
  fi
  exec 9>&-
fi
PATH=$bin:$PATH
[ -z "${GITHUB_PATH:-}" ] || echo "$bin" >>"$GITHUB_PATH"
echo "install: $bin has $("$bin/dtnctl" version)"
