#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Renders the mixin: rules, alerts and inhibitions into DIR/prometheus/rendered,
# dashboards into DIR/grafana/dashboards. CONFIG is a jsonnet object that is
# added to _config.
#
#   render.sh DIR [CONFIG]        for example: render.sh /tmp/out '{ruleWindow: "5m"}'
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: ${0##*/} DIR [CONFIG]" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1/prometheus/rendered" "$1/grafana/dashboards"
out=$(cd "$1" && pwd)
jsonnet=$("${GO:-go}" -C "$here/tools" tool -n jsonnet)

render() { "$jsonnet" -S -J "$here/mixin" -m "$1" -e "(import 'render.libsonnet').$2" >/dev/null; }
# What is no longer rendered must not stay.
rm -f "$out"/prometheus/rendered/*.yml "$out"/grafana/dashboards/*.json
render "$out/prometheus/rendered" "prometheus(${2:-{\}})"
render "$out/grafana/dashboards" "grafana(${2:-{\}})"
