#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds what is released into DIR: for each architecture an archive, a deb, an rpm
# and a bill of materials; what they were made from; and the checksums of all, which
# sign.sh signs. The same commit gives the same bytes with the same Go, wherever and
# whenever it is built.
#   release.sh DIR [binaries]      "binaries" stops after DIR/linux-*/landlockd
# VERSION, SOURCE_DATE_EPOCH and REVISION are those of the commit unless set; ARCHES is
# "amd64 arm64".
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: ${0##*/} DIR [binaries]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=deploy/packaging
go=${GO:-go}
description=${VERSION:-$(git describe --tags --always --dirty)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC CGO_ENABLED=0 STAGE=$out
unset GOFLAGS GOEXPERIMENT GOAMD64 GOARM64
umask 022
read -ra arches <<<"${ARCHES:-amd64 arm64}"

# What --version prints beside what Go itself notes. Who builds, and from which branch, is no
# part of it: the bytes would differ.
stamp="-X github.com/prometheus/common/version"
ldflags="-s -w -funcalign=16 -buildid= $stamp.Version=$description"
ldflags+=" $stamp.Branch=HEAD $stamp.BuildUser=release"
ldflags+=" $stamp.BuildDate=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d-%H:%M:%S)"

# Binaries.
for arch in "${arches[@]}"; do
	GOOS=linux GOARCH=$arch "$go" build -trimpath -ldflags "$ldflags" -o "$out/linux-$arch/landlockd" ./cmd/landlockd
	chmod 0711 "$out/linux-$arch/landlockd"
done
[ "${2:-}" != binaries ] || exit 0

VERSION=$($here/version.sh "$description" "$SOURCE_DATE_EPOCH")
export VERSION
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)
nfpm=$("$go" -C $here/tools tool -n nfpm)
cyclonedx=$("$go" -C $here/tools tool -n cyclonedx-gomod)

# bom PROGRAM: its bill of materials, from what the linker recorded in it. What would
# differ from one build to the next (the time, a random serial number, the hash of the
# tool itself) is set or left out; the tool does not say that all depends on std.
bom() {
	local sum
	sum=$(sha256sum <"$1")
	sum=${sum%% *}
	"$cyclonedx" bin -json -std -short-purls -output-version 1.5 -version "$VERSION" \
		-serial "${sum:0:8}-${sum:8:4}-8${sum:13:3}-8${sum:17:3}-${sum:20:12}" "$1" |
		jq --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" --arg sum "$sum" '
			del(.metadata.tools[].hashes)
			| .metadata.timestamp = $time
			| .metadata.component.hashes = [{alg: "SHA-256", content: $sum}]
			| .metadata.component.licenses = [{expression: "Apache-2.0"}]
			| .dependencies[0].dependsOn = [.components[]."bom-ref"]'
}

# What is generated from the flags, by a program that runs here.
host=$("$go" env GOHOSTARCH)
program=$out/linux-$host/landlockd
[ -e "$program" ] || { echo "${0##*/}: build for $host, too: the manual page comes from a program that runs here" >&2; exit 1; }
$here/man.sh "$program" "$VERSION" "$date" | gzip -9n >"$out/landlockd.1.gz"
$here/docs.sh "$out/doc"
gzip -9nc CHANGELOG.md >"$out/changelog.gz"
# Between two releases, and in tests of this script, a version has no part of its own yet.
$here/notes.sh "$description" <CHANGELOG.md >"$out/release-notes.md" ||
	$here/notes.sh unreleased <CHANGELOG.md >"$out/release-notes.md"
maintainer=$(sed -n 's/^maintainer: //p' $here/nfpm.yaml)
printf 'landlockd (%s-1) stable; urgency=medium\n\n  * See changelog.gz for what is new.\n\n -- %s  %s\n' \
	"$VERSION" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$out/changelog.Debian.gz"

artefacts=()
for arch in "${arches[@]}"; do
	# An archive, for all else.
	name=landlockd-$VERSION-linux-$arch
	rm -rf "${out:?}/$name" && mkdir -p "$out/$name/completions" "$out/$name/systemd/dropins" "$out/$name/known.d" "$out/$name/prometheus" "$out/$name/grafana"
	install -m 0755 "$out/linux-$arch/landlockd" "$out/$name/landlockd"
	install -m 0644 LICENSE CHANGELOG.md $here/landlockd.yml $here/assets.yml "$out/landlockd.1.gz" "$out/$name/"
	cp -r "$out/doc/." "$out/$name/"
	install -m 0644 $here/completions/* "$out/$name/completions/"
	install -m 0644 deploy/systemd/landlockd* "$out/$name/systemd/"
	install -m 0644 deploy/known.d/* "$out/$name/known.d/"
	install -m 0644 deploy/systemd/dropins/* "$out/$name/systemd/dropins/"
	install -m 0644 deploy/prometheus/rendered/*.yml "$out/$name/prometheus/"
	install -m 0644 deploy/grafana/provisioning.yml deploy/grafana/dashboards/*.json "$out/$name/grafana/"
	tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -c "$name" | gzip -9n >"$out/$name.tar.gz"
	rm -rf "${out:?}/$name"

	bom "$out/linux-$arch/landlockd" >"$out/$name.sbom.cdx.json"
	rpmarch=$arch
	case $arch in amd64) rpmarch=x86_64 ;; arm64) rpmarch=aarch64 ;; esac
	deb=landlockd_${VERSION}_$arch.deb
	rpm=landlockd-$VERSION-1.$rpmarch.rpm
	ARCH=$arch "$nfpm" package -f $here/nfpm.yaml -p deb -t "$out/$deb" >/dev/null
	ARCH=$arch "$nfpm" package -f $here/nfpm.yaml -p rpm -t "$out/$rpm" >/dev/null
	artefacts+=("$name.tar.gz" "$name.sbom.cdx.json" "$deb" "$rpm")
done

# What they were made from: an in-toto statement of SLSA provenance. Who made them, and when, is
# no part of it, as the bytes would differ: that is the signature's to say. Of a tree with
# changes, or without Git, no commit is named, whatever VERSION says.
revision=${REVISION:-$($here/revision.sh)}
provenance=landlockd-$VERSION.provenance.json
repository=https://github.com/landlockd/landlockd
(cd "$out" && sha256sum "${artefacts[@]}") | jq -nR --arg version "$description" --arg revision "$revision" \
	--arg epoch "$SOURCE_DATE_EPOCH" --arg arches "${arches[*]}" --arg go "$("$go" env GOVERSION)" \
	--arg repository "$repository" '
	($repository + "/blob/main/deploy/packaging/release.sh") as $script | {
		_type: "https://in-toto.io/Statement/v1",
		subject: [inputs | capture("^(?<sum>[0-9a-f]{64})  (?<name>.+)$") | {name, digest: {sha256: .sum}}],
		predicateType: "https://slsa.dev/provenance/v1",
		predicate: {
			buildDefinition: {
				buildType: $script,
				externalParameters: {VERSION: $version, SOURCE_DATE_EPOCH: $epoch, ARCHES: $arches},
				resolvedDependencies: [
					{uri: ("git+" + $repository)} + if $revision == "" then {} else {digest: {gitCommit: $revision}} end,
					{uri: ("pkg:generic/go@" + ($go | ltrimstr("go")))}]},
			runDetails: {builder: {id: $script}}}}' >"$out/$provenance"
artefacts+=("$provenance")
(cd "$out" && sha256sum "${artefacts[@]}" >SHA256SUMS && cat SHA256SUMS)
