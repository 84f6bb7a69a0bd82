// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

const keyHeader = "X-Landlockd-Key"

// guard knows who may read.
type guard struct {
	host        string // the only Host header that is answered: another name may be anybody's
	cookie, key string
	name        string // of the cookie: browsers have one jar for all ports of a host

	mu    sync.Mutex
	token string // empty when it was used
}

func newGuard(host string) *guard {
	port := host[strings.LastIndexByte(host, ':')+1:]
	return &guard{
		host: host, name: "landlockd-ui-" + port,
		cookie: rand.Text(), key: rand.Text(), token: rand.Text(),
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// exchange reports whether a token is the one that was not used yet, and uses it.
func (g *guard) exchange(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == "" || !same(token, g.token) {
		return false
	}
	g.token = ""
	return true
}

// enter gives whoever has the token a cookie, and the key behind a #, which no server is sent.
func (g *guard) enter(w http.ResponseWriter, r *http.Request) {
	if !g.exchange(r.URL.Query().Get("token")) {
		refuse(w, "This link was used already, or is not the one that landlockd ui printed.")
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // not Secure: on loopback there is no TLS
		Name: g.name, Value: g.cookie, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	})
	w.Header().Set("Location", "/#"+g.key)
	w.WriteHeader(http.StatusSeeOther)
}

// knows reports whether a request has the cookie.
func (g *guard) knows(r *http.Request) bool {
	c, err := r.Cookie(g.name)
	return err == nil && same(c.Value, g.cookie)
}

// mayRead reports whether a request may get facts.
func (g *guard) mayRead(r *http.Request) bool {
	return g.knows(r) && same(r.Header.Get(keyHeader), g.key)
}

func refuse(w http.ResponseWriter, why string) {
	http.Error(w, why+"\nStart landlockd ui again, and open what it prints.", http.StatusForbidden)
}
