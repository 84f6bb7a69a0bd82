// SPDX-License-Identifier: Apache-2.0

// Package ui serves one user's view of a host to a browser of that user, on loopback: the page of
// pictures, a tree of processes, and explanations of single ones.
//
// Every user of the host can connect there. A token, which is printed and good for one request,
// is exchanged for a cookie; and as browsers send cookies to every port of a host, where other
// users may listen, facts are only given with a key, too, which a browser keeps for one port.
package ui
