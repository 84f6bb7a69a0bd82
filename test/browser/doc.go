// SPDX-License-Identifier: Apache-2.0

// Package browser has the tests of pages in a real browser: Debian's Chromium, without a window.
package browser
