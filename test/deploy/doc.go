// SPDX-License-Identifier: Apache-2.0

// Package deploy tests what deploy/ and Dockerfile ship by using it: releases are
// built twice and compared; packages are installed, upgraded, removed and purged
// below a real systemd, in a container of namespaces on this kernel; the image is
// built and run; manifests are decoded strictly and rendered by the real tools.
// As root; test/setup.sh installs what it needs.
package deploy
