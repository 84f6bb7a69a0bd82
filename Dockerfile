# SPDX-License-Identifier: Apache-2.0
# The static program and what is known of others, and nothing else: nothing is fetched, nothing is run. Build it
# with "make image", which makes dist/linux-ARCH/landlockd first.
#
# Run it where it sees the host:
#   podman run --pid=host --network=host --read-only --cap-drop=all \
#     --cap-add=BPF,PERFMON,SETUID,SETGID --security-opt=no-new-privileges \
#     -v /sys:/sys:ro landlockd
FROM scratch
ARG TARGETARCH
ARG VERSION=dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="landlockd" \
      org.opencontainers.image.description="Coverage of Landlock sandboxes on a host, as metrics for Prometheus" \
      org.opencontainers.image.url="https://github.com/landlockd/landlockd" \
      org.opencontainers.image.source="https://github.com/landlockd/landlockd" \
      org.opencontainers.image.documentation="https://github.com/landlockd/landlockd/blob/main/docs/install.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# Mode 0711: who serves cannot read it, and so cannot be traced (docs/architecture.md).
COPY dist/linux-$TARGETARCH/landlockd /usr/bin/landlockd
COPY deploy/known.d /usr/lib/landlockd/known.d
EXPOSE 10644
# It starts with user 0, as only that has the capabilities it needs to start, and
# serves as 65534 if it has SETUID and SETGID, too.
USER 0:0
ENTRYPOINT ["/usr/bin/landlockd"]
